import packageJson from '../../package.json' with { type: 'json' };

/** Release of this program. */
export const PROGRAM_VERSION = packageJson.version;
