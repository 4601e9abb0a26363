/** Waits that a person or a host ends, not time: they stay open and say why (ten years, ms). */
export const PATIENT_MS = 10 * 365 * 24 * 3_600_000;
/** Copying a large database takes as long as it takes; a copy that stands still for this long is no progress, ms. */
export const COPY_MS = 3_600_000;
