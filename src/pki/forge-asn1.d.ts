/** Types for the one module of node-forge that is loaded: its ASN.1 reader and writer (a quarter of the cost of the whole library). */
declare module 'node-forge/lib/asn1.js' {
  export interface Asn1 {
    tagClass: number;
    type: number;
    constructed: boolean;
    composed: boolean;
    /** Binary text (one character an octet), or children. */
    value: string | Asn1[];
  }

  interface ByteBuffer {
    getBytes(): string;
  }

  interface ReadOptions {
    strict: boolean;
    parseAllBytes: boolean;
    decodeBitStrings: boolean;
  }

  interface Asn1Module {
    create(tagClass: number, type: number, constructed: boolean, value: string | Asn1[]): Asn1;
    fromDer(bytes: string, options: ReadOptions): Asn1;
    toDer(node: Asn1): ByteBuffer;
    oidToDer(oid: string): ByteBuffer;
    derToOid(bytes: string): string;
    dateToUtcTime(date: Date): string;
    utcTimeToDate(text: string): Date;
    dateToGeneralizedTime(date: Date): string;
    generalizedTimeToDate(text: string): Date;
  }

  const asn1: Asn1Module;

  // biome-ignore lint/style/noDefaultExport: it is a CommonJS module
  export { asn1 as default };
}
