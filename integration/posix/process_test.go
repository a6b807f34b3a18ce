package posix

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// startTask starts a child and returns a function that waits for it.
func startTask(t task) (wait func() (string, error), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	cmd := t.command(ctx)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	return func() (string, error) {
		defer cancel()
		if err := cmd.Wait(); err != nil {
			return stdout.String(), fmt.Errorf("%w: %s", err, stderr.Bytes())
		}
		return stdout.String(), nil
	}, nil
}

// appendTask appends lines to a file: path, writer, number.
func appendTask(t task) error {
	n, err := strconv.Atoi(t.Args[2])
	if err != nil {
		return err
	}
	f, err := os.OpenFile(t.Args[0], os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for i := range n {
		if _, err := f.WriteString(logLine(t.Args[1], i)); err != nil {
			return err
		}
	}
	return nil
}

func logLine(writer string, i int) string {
	return fmt.Sprintf("writer %s line %d %s\n", writer, i, strings.Repeat("=", i%97))
}

// checkLog tells whether a file holds each line of each writer once, each
// writer's in order.
func checkLog(path string, writers, lines int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	next := make([]int, writers)
	for line := range strings.Lines(string(b)) {
		var w, i int
		if _, err := fmt.Sscanf(line, "writer %d line %d", &w, &i); err != nil || w >= writers || next[w] != i || line != logLine(fmt.Sprint(w), i) {
			return fmt.Sprintf("unexpected line %q", line)
		}
		next[w]++
	}
	for w, n := range next {
		if n != lines {
			return fmt.Sprintf("writer %d has %d lines", w, n)
		}
	}
	return "all there, in order"
}

// atOnce runs a function several times in parallel.
func atOnce(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errs
}

// aligned returns memory that O_DIRECT takes.
func aligned(n int, fill byte) []byte {
	b := make([]byte, n+4096)
	off := (4096 - int(uintptr(unsafe.Pointer(&b[0]))%4096)) % 4096
	b = b[off:][:n]
	for i := range b {
		b[i] = fill
	}
	return b
}

// lockTask tries locks on a file and prints what came of each: path, then
// flock, posix, ofd with sh or ex, or "get". The end of it lets go of them.
func lockTask(t task) error {
	fd, err := unix.Open(t.Args[0], unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, what := range t.Args[1:] {
		kind, mode, _ := strings.Cut(what, "-")
		fl := unix.Flock_t{Type: unix.F_RDLCK, Start: 10, Len: 10}
		op := unix.LOCK_SH
		if mode == "ex" {
			fl.Type, op = unix.F_WRLCK, unix.LOCK_EX
		}
		switch kind {
		case "flock":
			err = unix.Flock(fd, op|unix.LOCK_NB)
		case "posix":
			err = unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &fl)
		case "beside":
			fl.Start = 20
			err = unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &fl)
		case "ofd":
			err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &fl)
		case "get":
			fl.Type = unix.F_WRLCK
			err = unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &fl)
			fmt.Printf("type %d start %d length %d of parent %t; ", fl.Type, fl.Start, fl.Len, int(fl.Pid) == os.Getppid())
		}
		fmt.Printf("%s %s; ", what, result(err))
	}
	return nil
}

// lockBy notes what a process of its own gets.
func (p *place) lockBy(name string, what ...string) {
	out, err := runTask(task{Do: "lock", Args: append([]string{p.at(name)}, what...)})
	p.must(err)
	p.note("another process: %s", out)
}

// mapTask changes a byte of a file by a shared mapping: path, offset, byte.
func mapTask(t task) error {
	fd, err := unix.Open(t.Args[0], unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	off, err := strconv.Atoi(t.Args[1])
	if err != nil {
		return err
	}
	b, err := unix.Mmap(fd, 0, off+1, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	if err := unix.Close(fd); err != nil {
		return err
	}
	fmt.Printf("%q", b[off])
	b[off] = t.Args[2][0]
	return unix.Munmap(b)
}
