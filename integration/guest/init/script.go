//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unkillable is how long a killed script may take to be gone. One that waits
// in the kernel for a device that does not answer is reported as gone.
const unkillable = 5 * time.Second

// script is a running shell in a session of its own.
type script struct {
	cmd      *exec.Cmd
	done     chan int // receives the exit status once
	late     <-chan time.Time
	killed   chan struct{}
	timedOut bool
}

// start runs a script and passes on what it writes. limit 0 is no limit.
func start(text string, limit time.Duration, output func([]byte) error) (*script, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s := &script{
		cmd:    exec.Command("/bin/bash", "-c", text),
		done:   make(chan int, 1),
		killed: make(chan struct{}),
	}
	s.cmd.Stdout, s.cmd.Stderr = w, w
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = s.cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	if limit > 0 {
		s.late = time.After(limit)
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		passOn(r, output)
	}()
	go s.wait(r, copied)
	return s, nil
}

// wait ends when the shell has, not when everybody has closed its output:
// daemons that it left behind may keep that open.
func (s *script) wait(r *os.File, copied <-chan struct{}) {
	code := make(chan int, 1)
	go func() {
		if err := s.cmd.Wait(); err != nil && s.cmd.ProcessState == nil {
			code <- 126
			return
		}
		status := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Signaled() {
			code <- 128 + int(status.Signal())
			return
		}
		code <- status.ExitStatus()
	}()
	var result int
	select {
	case result = <-code:
	case <-s.killed:
		select {
		case result = <-code:
		case <-time.After(unkillable):
			result = 128 + int(unix.SIGKILL)
		}
	}
	// Stops the copying, which then takes what is already there.
	_ = r.SetReadDeadline(time.Now())
	<-copied
	r.Close()
	s.done <- result
}

// kill ends the script and what it started, daemons excepted.
func (s *script) kill() {
	select {
	case <-s.killed:
	default:
		_ = unix.Kill(-s.cmd.Process.Pid, unix.SIGKILL) // it may have ended just now
		close(s.killed)
	}
}

// passOn copies until the end or the deadline, and then what is still in the
// pipe.
func passOn(r *os.File, output func([]byte) error) {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 && output(buf[:n]) != nil {
			return
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return
		}
	}
	raw, err := r.SyscallConn()
	if err != nil {
		return
	}
	// Control and not Read: that one heeds the deadline. The pipe does not
	// block; a daemon that never stops writing is not waited for.
	_ = raw.Control(func(fd uintptr) {
		for range 16 {
			n, err := unix.Read(int(fd), buf)
			if n <= 0 || err != nil || output(buf[:n]) != nil {
				return
			}
		}
	})
}
