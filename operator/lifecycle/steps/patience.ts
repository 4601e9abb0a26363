/** Waits that a person or a host ends, not time: they stay open and say why (ten years, ms). */
export const PATIENT_MS = 10 * 365 * 24 * 3_600_000;
