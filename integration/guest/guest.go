//go:build linux

package guest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"burnfs/integration/guest/exchange"
)

// bootTime is how long a boot may take; on a busy machine it takes a minute.
const bootTime = 5 * time.Minute

// Addresses of QEMU's user network.
const (
	HostAddress  = "10.0.2.2" // the host's 127.0.0.1, seen from the guest
	guestAddress = "10.0.2.15/24"
)

// Options of a guest. The zero value is good.
type Options struct {
	Log     io.Writer // gets what scripts write as they write it; nil: nothing
	Memory  int       // MiB, also for all that the guest writes; 0: 1024
	Share   []string  // existing directories of the host that the guest may write to, absolute
	Env     []string  // NAME=value for all scripts, besides PATH and HOME
	Modules []string  // of the kernel, besides those that every guest has
}

// Guest is a running virtual machine. Its methods may be called from several
// goroutines; scripts run one after the other.
type Guest struct {
	machine *machine
	dir     string // of the console's and the initramfs' files
	log     io.Writer
	booted  time.Duration

	turn   chan struct{}       // holds one token: whoever has it may use the port
	frames chan exchange.Frame // closed when the port is
	lost   error               // why no script can run any more; with the token

	closing sync.Once
	closed  error
}

// Boot starts a guest and returns when it runs scripts. It lives until ctx is
// done or Close is called, and in no case longer than this process.
func Boot(ctx context.Context, o Options) (_ *Guest, err error) {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Memory == 0 {
		o.Memory = 1024
	}
	began := time.Now()
	k, err := findKernel(ctx, o.Log)
	if err != nil {
		return nil, fmt.Errorf("a kernel for the guest: %w", err)
	}
	dir, err := os.MkdirTemp("", "burnfs-guest-")
	if err != nil {
		return nil, err
	}
	g := &Guest{dir: dir, log: o.Log, turn: make(chan struct{}, 1), frames: make(chan exchange.Frame)}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	config := exchange.Config{
		Root:    "root",
		Address: guestAddress,
		Env: append([]string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
		}, o.Env...),
	}
	for i, path := range o.Share {
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("share %s: the path is not absolute", path)
		}
		config.Shares = append(config.Shares, exchange.Share{Tag: fmt.Sprintf("share%d", i), Path: path})
	}
	initramfs, err := writeInitramfs(ctx, dir, k, config, append(modules[:len(modules):len(modules)], o.Modules...))
	if err != nil {
		return nil, err
	}
	g.machine, err = start(ctx, dir, func(console string) []string {
		return arguments(k, initramfs, console, o.Memory, config)
	})
	if err != nil {
		return nil, err
	}
	go g.receive()
	if err := g.ready(ctx); err != nil {
		return nil, fmt.Errorf("boot: %w\n%s", err, g.machine.log())
	}
	g.turn <- struct{}{}
	g.booted = time.Since(began)
	return g, nil
}

// BootTime is how long Boot took.
func (g *Guest) BootTime() time.Duration { return g.booted }

// receive passes on what the guest says until its end.
func (g *Guest) receive() {
	defer close(g.frames)
	for {
		f, err := exchange.Read(g.machine.port)
		if err != nil {
			return
		}
		select {
		case g.frames <- f:
		case <-g.machine.ended:
			return
		}
	}
}

// ready waits for the end of the boot.
func (g *Guest) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	select {
	case f, ok := <-g.frames:
		switch {
		case !ok:
			return g.gone()
		case f.Kind != exchange.Ready:
			return fmt.Errorf("the guest says: %s", f.Payload)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the guest does not answer: %w", context.Cause(ctx))
	}
}

// gone is the error of a guest that ended by itself, or is about to.
func (g *Guest) gone() error {
	select {
	case <-g.machine.ended:
		return fmt.Errorf("the guest has ended: %w", errors.Join(ErrLost, g.machine.err))
	case <-time.After(5 * time.Second):
		return fmt.Errorf("the guest has closed its port: %w", ErrLost)
	}
}

// Console is what the kernel wrote on its console: errors, and a panic if
// there was one. All of its log is Dmesg.
func (g *Guest) Console() string { return g.machine.log() }

// Close ends the guest at once. What a script wrote to a share is there; its
// processes end as in a power cut.
func (g *Guest) Close() error {
	g.closing.Do(func() {
		if g.machine != nil {
			g.closed = g.machine.kill()
		}
		g.closed = errors.Join(g.closed, os.RemoveAll(g.dir))
	})
	return g.closed
}
