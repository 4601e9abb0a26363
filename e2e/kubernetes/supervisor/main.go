// Command supervisor is the first process of one simulated machine: it runs inside fresh process,
// mount, network and host name namespaces, makes them look like a machine, starts the machine's
// programs and starts them again when they end.
//
// Everything of the machine hangs on this one process. When it is killed the kernel ends every
// process of its namespace (containers too, theirs are nested), and mounts and network links go
// with the last of them. So a machine can be removed completely at any moment, also half built.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

// plan is what the driver wrote for this machine.
type plan struct {
	Hostname string     `json:"hostname"`
	Prepared string     `json:"prepared"` // file to make when the machine stands; the driver connects its network then
	Gate     string     `json:"gate"`     // programs start when this file exists
	Cgroups  []string   `json:"cgroups"`  // cgroup.procs files to join
	Setup    [][]string `json:"setup"`    // commands to run once, in order, inside the machine
	Root     *root      `json:"root"`     // absent: the machine sees the files of its host
	Programs []program  `json:"programs"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "supervisor:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	var plan plan
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := prepare(plan); err != nil {
		return err
	}
	return supervise(plan.Gate, plan.Programs)
}

func prepare(plan plan) error {
	for _, procs := range plan.Cgroups {
		if err := os.WriteFile(procs, []byte("0"), 0); err != nil {
			return err
		}
	}
	if err := syscall.Sethostname([]byte(plan.Hostname)); err != nil {
		return err
	}
	if err := enter(plan.Root); err != nil {
		return err
	}
	for _, command := range plan.Setup {
		if err := once(command); err != nil {
			return err
		}
	}
	return os.WriteFile(plan.Prepared, nil, 0o644)
}
