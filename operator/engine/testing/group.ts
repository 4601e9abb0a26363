import type { Settings, Upstream } from '../profile.ts';
import { Bench, eventually, SMALL, type Member } from './member.ts';

export const ignore = (): void => undefined;
export const limit = (): AbortSignal => AbortSignal.timeout(10_000);

/** Where the log of a member ends. */
const endOf = async (member: Member): Promise<string | undefined> => (await member.profile.observe(limit())).lsn;

export const caughtUp = (follower: Member, rw: Member): Promise<void> =>
  eventually(`${follower.name} is as far as ${rw.name}`, async () => (await endOf(follower)) === (await endOf(rw)));

/** Fills a follower from the RW and starts it. */
export async function fill(follower: Member, rw: Member, settings: Settings = SMALL): Promise<Upstream> {
  const upstream = await rw.upstreamFor(follower);
  await follower.profile.join(upstream, ignore);
  await follower.startFollower(upstream, settings);
  return upstream;
}

/** Settings of a group's engines; those of followers are the RW's where they are not named. */
interface GroupSettings {
  rw?: Settings;
  followers?: Settings;
}

/** An RW, the first name's, with an empty table `t (by text)`, and followers that have all of it. */
export async function openGroup<Name extends string>(
  [first, ...others]: readonly [Name, ...Name[]],
  { rw: settings = SMALL, followers = settings }: GroupSettings = {},
): Promise<{ bench: Bench; members: Record<Name, Member> }> {
  const bench = await Bench.open();
  const rw = await bench.member(first);
  const members = { [first]: rw } as Record<Name, Member>;
  await rw.profile.initialize({ settings }, ignore);
  await rw.startRw(settings);
  await rw.sql('CREATE TABLE t (by text)');
  for (const name of others) {
    members[name] = await bench.member(name);
    await fill(members[name], rw, followers);
  }
  // As its account is made by the cluster manager: pg_rewind reads files through it.
  await rw.sql('ALTER ROLE replicator SUPERUSER');
  // The newest checkpoint of all histories; one of before the base backups is no longer in their logs.
  await rw.sql('CHECKPOINT');
  for (const name of others) await caughtUp(members[name], rw);
  return { bench, members };
}
