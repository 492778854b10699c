/** Throw-away hosts on this machine, as verbs see them. */
export interface LabPort {
  /** Brings a lab up and writes an inventory for it. `etcd`: a version, or undefined for the best that can be had. */
  up(name: string, wish: { readonly hosts: number; readonly etcd: string | undefined }): Promise<LabFound>;
  down(name: string): Promise<{ readonly removed: boolean; readonly reason: string }>;
  list(): Promise<
    readonly {
      readonly name: string;
      readonly hosts: readonly { readonly name: string; readonly ipv4: string; readonly running: boolean }[];
    }[]
  >;
  /** The exit status of ssh. */
  ssh(name: string, host: string, command: readonly string[]): Promise<number>;
}

/** A lab that is up: absolute paths of its inventory and of the identity that its keys open with. */
interface LabFound {
  readonly name: string;
  readonly inventory: string;
  readonly identity: string;
  readonly hosts: readonly { readonly name: string; readonly ipv4: string }[];
}
