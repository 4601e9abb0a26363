/**
 * The guard: a shell loop of a static busybox that kills when the agent cannot. It is told by lines on its standard
 * input what holds from now on:
 * - `none`: there is no right that could end (nothing runs, or a follower);
 * - `unbounded`: an RW under a right that does not expire. A silent agent changes nothing: with E empty nobody could be
 *   promoted, and a frozen agent cannot say "stopped" either (protocol, Right);
 * - a number: the right ends at this uptime, in hundredths of a second of /proc/uptime (CLOCK_BOOTTIME).
 * When that time passes without another line it sends SIGKILL to everything but PID 1, the agent and itself, again and
 * again until it is told something else: the agent may be frozen and is not asked. When the pipe closes or the agent is
 * no longer its parent it does the same for good, without sparing the agent.
 *
 * Each line is answered with `heard`: on a busy host a guard may still be killing by the order before.
 *
 * The text is constant: data comes as the argument (the agent's PID) and by the pipe. Only builtins are used, since a
 * host without free memory or PIDs cannot fork. `read -t` answers 1 for silence and for end of file alike: the clock
 * tells them apart.
 */
export const GUARD_SCRIPT = `
agent=$1
deadline=none
trap '' TERM INT HUP PIPE

clock() {
  read -r up rest </proc/uptime
  frac=\${up#*.}
  now=$((\${up%.*} * 100 + 1$frac - 100))
}

kill_others() {
  for dir in /proc/[0-9]*; do
    pid=\${dir#/proc/}
    case $pid in 1|$$|$agent) ;; *) kill -9 $pid 2>/dev/null ;; esac
  done
}

is_orphan() {
  read -r stat </proc/$$/stat
  set -- \${stat##*) }
  [ "$2" != "$agent" ]
}

echo ready
while :; do
  clock
  began=$now
  centis=6000
  if [ $deadline != none ]; then
    centis=$((deadline - now))
    if [ $centis -le 0 ]; then
      kill_others
      centis=5
    fi
  fi
  frac=$((centis % 100))
  [ $frac -lt 10 ] && frac=0$frac
  if read -t $((centis / 100)).$frac -r line; then
    case $line in
      none|unbounded) deadline=none ;;
      *[!0-9]*|'') ;;
      *) deadline=$line ;;
    esac
    echo heard
    continue
  fi
  clock
  if is_orphan || [ $((now - began + 3)) -lt $centis ]; then
    agent=1
    while :; do kill_others; read -t 0.02 -r line </dev/null; done
  fi
done
`;
