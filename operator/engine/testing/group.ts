import type { Settings, Upstream } from '../profile.ts';
import { Bench, eventually, SMALL, type Member } from './member.ts';

export const ignore = (): void => undefined;
export const limit = (): AbortSignal => AbortSignal.timeout(10_000);

/** Where the log of a member ends. */
const endOf = async (member: Member): Promise<string | undefined> => (await member.profile.observe(limit())).lsn;

export const caughtUp = (follower: Member, rw: Member): Promise<void> =>
  eventually(`${follower.name} is as far as ${rw.name}`, async () => (await endOf(follower)) === (await endOf(rw)));

/** Fills a follower from the RW and starts it. */
async function fill(follower: Member, rw: Member, settings: Settings = SMALL): Promise<Upstream> {
  const upstream = await rw.upstreamFor(follower);
  await follower.profile.join(upstream, ignore);
  await follower.startFollower(upstream, settings);
  return upstream;
}

/** An RW with an empty table `t (by text)`, and followers that have all of it. */
export async function openGroup(
  names: { rw: string; followers: readonly string[] },
  settings: { rw?: Settings; followers?: Settings } = {},
): Promise<{ bench: Bench; rw: Member; followers: Member[] }> {
  const bench = await Bench.open();
  const rw = await bench.member(names.rw);
  const followers: Member[] = [];
  for (const name of names.followers) followers.push(await bench.member(name));
  await rw.profile.initialize({ settings: settings.rw ?? SMALL }, ignore);
  await rw.startRw(settings.rw);
  await rw.sql('CREATE TABLE t (by text)');
  for (const follower of followers) await fill(follower, rw, settings.followers ?? settings.rw);
  // As its account is made by the cluster manager: pg_rewind reads files through it.
  await rw.sql('ALTER ROLE replicator SUPERUSER');
  // The newest checkpoint of all histories; one of before the base backups is no longer in their logs.
  await rw.sql('CHECKPOINT');
  for (const follower of followers) await caughtUp(follower, rw);
  return { bench, rw, followers };
}
