import { randomBytes } from 'node:crypto';

/** Letters and digits that nobody mistakes for others, and that no shell, URI, SQL or YAML quotes. 57 of them. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';

export const PASSWORD_LENGTH = { least: 24, usual: 32, most: 128 };

/**
 * A password from a cryptographic source; 32 characters hold 186 bits.
 * @param random gives that many random bytes
 * @throws RangeError when the length is not 24 to 128
 */
export function newPassword(
  length: number = PASSWORD_LENGTH.usual,
  random: (count: number) => Uint8Array = randomBytes,
): string {
  if (!(length >= PASSWORD_LENGTH.least && length <= PASSWORD_LENGTH.most)) {
    throw new RangeError(
      `a password has ${PASSWORD_LENGTH.least} to ${PASSWORD_LENGTH.most} characters, not ${length}`,
    );
  }
  // Bytes above the last whole multiple are thrown away: a remainder would make the first letters likelier.
  const limit = 256 - (256 % ALPHABET.length);
  let password = '';
  while (password.length < length) {
    for (const byte of random(length - password.length)) {
      if (byte < limit) password += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return password;
}
