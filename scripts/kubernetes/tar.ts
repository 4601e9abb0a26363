/** Writes a tar archive (ustar) of a few small files: enough for an image of one program. */
export function tar(files: readonly { name: string; mode: number; content: Buffer }[]): Buffer {
  const parts = files.flatMap(({ name, mode, content }) => [header(name, mode, content.length), padded(content)]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

const block = 512;

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((block - (content.length % block)) % block)]);
}

function header(name: string, mode: number, size: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`the name ${name} is too long for a plain tar archive`);
  const field = Buffer.alloc(block);
  const octal = (value: number, length: number): string => value.toString(8).padStart(length - 1, '0') + '\0';
  field.write(name, 0);
  field.write(octal(mode, 8), 100);
  field.write(octal(0, 8), 108);
  field.write(octal(0, 8), 116);
  field.write(octal(size, 12), 124);
  field.write(octal(0, 12), 136);
  field.write(' '.repeat(8), 148);
  field.write('0', 156);
  field.write('ustar\x0000', 257);
  const sum = field.reduce((total, byte) => total + byte, 0);
  field.write(octal(sum, 7) + ' ', 148);
  return field;
}
