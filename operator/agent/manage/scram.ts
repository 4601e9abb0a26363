import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/** As the engine makes them (scram_iterations of PostgreSQL). */
const ITERATIONS = 4096;
const SALT_BYTES = 16;
const derive = promisify(pbkdf2);

/**
 * What PostgreSQL stores for a password (RFC 5803 form). Made here, so that the password itself never reaches the
 * engine, its log or its statistics. The password has to be printable ASCII, where SASLprep changes nothing.
 */
export async function scramVerifier(password: string, salt = randomBytes(SALT_BYTES)): Promise<string> {
  const salted = await derive(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const serverKey = hmac('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
