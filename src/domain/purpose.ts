/** What a member's certificates are for. */

export const leafPurposes = ['server', 'peer', 'client'] as const;
export type LeafPurpose = (typeof leafPurposes)[number];
