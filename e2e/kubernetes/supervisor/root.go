package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// root describes the file system of a machine: that of the host below, its own changes above in
// memory, and directories of the host where much is written or where overlays cannot be stacked.
type root struct {
	Scratch string `json:"scratch"` // an empty directory to build it on
	Binds   []bind `json:"binds"`
}

type bind struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

type mount struct {
	source, target, kind string
	flags                uintptr
	data                 string
}

const recursiveBind = syscall.MS_BIND | syscall.MS_REC

// enter makes the machine's file system and moves there. Without a root only /proc is replaced.
func enter(r *root) error {
	// Nothing that is mounted from here on may reach the host.
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if r == nil {
		return apply([]mount{{source: "proc", target: "/proc", kind: "proc"}})
	}
	top := filepath.Join(r.Scratch, "root")
	if err := apply(layers(r.Scratch, top)); err != nil {
		return err
	}
	for _, b := range r.Binds {
		if err := apply([]mount{{source: b.Source, target: top + b.Target, flags: syscall.MS_BIND}}); err != nil {
			return err
		}
	}
	return pivot(top)
}

// The upper layer lies in memory: an overlay refuses an upper directory inside its lower one.
func layers(scratch, top string) []mount {
	upper, work := scratch+"/upper", scratch+"/work"
	overlay := fmt.Sprintf("lowerdir=/,upperdir=%s,workdir=%s", upper, work)
	return []mount{
		{source: "tmpfs", target: scratch, kind: "tmpfs"},
		{target: upper},
		{target: work},
		{source: "overlay", target: top, kind: "overlay", data: overlay},
		{source: "proc", target: top + "/proc", kind: "proc"},
		{source: "sysfs", target: top + "/sys", kind: "sysfs"},
		{source: "/sys/fs/cgroup", target: top + "/sys/fs/cgroup", flags: recursiveBind},
		{source: "/dev", target: top + "/dev", flags: recursiveBind},
		{source: "tmpfs", target: top + "/run", kind: "tmpfs"},
		{source: "tmpfs", target: top + "/tmp", kind: "tmpfs"},
	}
}

// apply makes each target directory and mounts there, or only makes it when there is no source.
func apply(mounts []mount) error {
	for _, m := range mounts {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if m.source == "" {
			continue
		}
		if err := syscall.Mount(m.source, m.target, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", m.source, m.target, err)
		}
	}
	return nil
}

func pivot(top string) error {
	old := filepath.Join(top, ".host")
	if err := os.MkdirAll(old, 0o700); err != nil {
		return err
	}
	if err := syscall.PivotRoot(top, old); err != nil {
		return fmt.Errorf("pivot to %s: %w", top, err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := syscall.Unmount("/.host", syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the host's files: %w", err)
	}
	if err := os.Remove("/.host"); err != nil {
		return err
	}
	// Volumes of pods with mount propagation need a shared root, as on a real machine.
	return syscall.Mount("", "/", "", syscall.MS_SHARED|syscall.MS_REC, "")
}
