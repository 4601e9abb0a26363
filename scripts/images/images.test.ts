import { expect } from 'chai';
import { packageVersion } from './debian.ts';
import { parseLibraries } from './runtime.ts';

describe('libraries of Node.js', () => {
  it('are the files that ldd found, with the loader and without what the kernel brings', () => {
    const output = `\tlinux-vdso.so.1 (0x00007ffd)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f1)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f2)
`;
    expect(parseLibraries(output)).to.deep.equal(['/lib/x86_64-linux-gnu/libm.so.6', '/lib64/ld-linux-x86-64.so.2']);
  });

  it('are all there, or the image is not built', () =>
    expect(() => parseLibraries('\tlibz.so.1 => not found\n')).to.throw('libz.so.1'));
});

describe('version of a Debian package', () => {
  const status =
    'Package: postgresql-15-x\nVersion: 9-1\n\nPackage: postgresql-15\nStatus: ok\nVersion: 1:15.14-0+deb12u1\n';
  it('is the upstream part', () => expect(packageVersion(status, 'postgresql-15')).to.equal('15.14'));
  it('is not that of a package with a longer name', () =>
    expect(() => packageVersion(status, 'postgresql')).to.throw('not installed'));
});
