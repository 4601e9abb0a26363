/** The lowest targets of a fault mean the RW; then come instances, or hosts, by their numbers. */
export const RW_TARGETS = 4;
