import { expect } from 'chai';
import type { Member } from '../testing/member.ts';
import { Bench, SMALL } from '../testing/member.ts';

const ignore = () => undefined;

describe('PostgreSQL with a volume each (real engine)', function () {
  this.timeout(30_000);
  let bench: Bench;
  let a: Member;

  before(async () => {
    bench = await Bench.open();
    a = await bench.member('a');
    await bench.member('b');
  });
  after(() => bench.close());

  it('initializes a blank place once, with checksums and a monitoring role', async () => {
    expect(await a.profile.look()).to.deep.equal({ state: 'blank' });
    await a.profile.initialize({ settings: SMALL }, ignore);
    const facts = await a.profile.look();
    expect(facts).to.include({ state: 'initialized', timeline: 1 });
    expect(facts.systemId).to.match(/^\d{19}$/);
    const again = await a.profile.initialize({ settings: SMALL }, ignore).catch((error: unknown) => error);
    expect(again).to.include({ code: 'NotBlank' });
  });
});
