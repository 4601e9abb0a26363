package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	poll       = 20 * time.Millisecond
	restartGap = time.Second
)

// program is started when the gate is open and the address it needs answers, again and again.
type program struct {
	Name  string   `json:"name"`
	Path  string   `json:"path"`
	Args  []string `json:"args"`
	Env   []string `json:"env"`
	Log   string   `json:"log"`
	After string   `json:"after"` // host:port that must accept connections first; empty: nothing
}

// once runs a command of the setup to its end.
func once(command []string) error {
	output, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, output)
	}
	return nil
}

// family knows which children are programs of the plan. The lock is held over each start, so that
// a program that ends at once is known before its end is seen.
type family struct {
	sync.Mutex
	running map[int]program
}

// supervise never returns: it starts the programs and collects what ended, also the orphans of
// others, which become children of the first process.
func supervise(gate string, programs []program) error {
	for !exists(gate) {
		time.Sleep(poll)
	}
	f := &family{running: map[int]program{}}
	for _, p := range programs {
		go f.start(p)
	}
	for {
		pid, err := syscall.Wait4(-1, nil, 0, nil)
		if err != nil { // no child at this moment
			time.Sleep(poll)
			continue
		}
		f.ended(pid)
	}
}

func (f *family) ended(pid int) {
	f.Lock()
	defer f.Unlock()
	p, ours := f.running[pid]
	if !ours {
		return
	}
	delete(f.running, pid)
	fmt.Fprintln(os.Stderr, p.Name, "ended and is started again")
	time.AfterFunc(restartGap, func() { f.start(p) })
}

func (f *family) start(p program) {
	for p.After != "" && !answers(p.After) {
		time.Sleep(poll)
	}
	f.Lock()
	defer f.Unlock()
	pid, err := fork(p)
	if err != nil {
		fmt.Fprintln(os.Stderr, p.Name, "does not start:", err)
		time.AfterFunc(restartGap, func() { f.start(p) })
		return
	}
	f.running[pid] = p
}

func fork(p program) (int, error) {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	return syscall.ForkExec(p.Path, append([]string{p.Name}, p.Args...), &syscall.ProcAttr{
		Env:   append(os.Environ(), p.Env...),
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

func answers(address string) bool {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
