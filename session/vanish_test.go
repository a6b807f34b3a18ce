package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/reopen"
)

// plug is where a drive is plugged in. It finds the drive for package reopen.
type plug struct {
	mu     sync.Mutex
	drive  mmc.Transport // that is there when it is plugged in
	pulled bool
	pulls  int
	pull   func(*mmc.Command) bool // the drive goes when this says so
	late   bool                    // after the command was executed, not before
	power  bool                    // it loses power when it goes
	door   uint8                   // what PREVENT ALLOW MEDIUM REMOVAL said last
	writes int
}

func (p *plug) Candidates() []string { return []string{"/dev/sr0"} }

func (p *plug) Open(string) (mmc.Transport, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pulled {
		return nil, syscall.ENOENT
	}
	return &wire{p, p.pulls}, nil
}

// out pulls the plug; the caller holds mu.
func (p *plug) out() {
	p.pulled, p.pull, p.door = true, nil, 0
	p.pulls++
	if e, ok := p.drive.(*emu.Drive); ok && p.power {
		if err := e.LosePower(); err != nil {
			panic(err)
		}
	}
}

// in plugs a drive in; nil is the one that was there.
func (p *plug) in(other mmc.Transport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pulled = false
	if other != nil {
		p.drive = other
	}
}

func (p *plug) when(pull func(*mmc.Command) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pull = pull
}

func (p *plug) locked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.door&1 != 0
}

// wire is the way to a drive until it is pulled; then it is of no use any more.
type wire struct {
	p     *plug
	pulls int // when it was plugged in
}

func (w *wire) Execute(ctx context.Context, cmd *mmc.Command) error {
	p := w.p
	p.mu.Lock()
	defer p.mu.Unlock()
	pull := p.pull != nil && p.pull(cmd)
	if pull && !p.late {
		p.out()
		pull = false
	}
	if w.pulls != p.pulls {
		cmd.Resid = len(cmd.Data)
		return &mmc.TransportError{CDB: bytes.Clone(cmd.CDB), Gone: true, Err: syscall.ENODEV}
	}
	if cmd.Opcode() == mmc.OpPreventAllowRemoval {
		p.door = cmd.CDB[4]
	}
	if cmd.Opcode() == mmc.OpWrite10 {
		p.writes++
	}
	err := p.drive.Execute(ctx, cmd)
	if pull {
		p.out()
		cmd.Resid = len(cmd.Data)
		return &mmc.TransportError{CDB: bytes.Clone(cmd.CDB), Gone: true, Err: syscall.ENODEV}
	}
	return err
}

func (w *wire) Close() error { return nil } // the drive belongs to the test

// plugIn mounts the rig's disc in a drive that can be unplugged.
func (r *rig) plugIn() *plug {
	r.Helper()
	r.damaged = true // an interrupted session may lie among the others
	e := r.insert(r.path)
	p := &plug{drive: e}
	r.opt.waits = waits{commit: 200 * time.Millisecond, first: 10 * time.Millisecond, most: 20 * time.Millisecond}
	r.reopen(p)
	return p
}

// insert opens an emulated drive, which is closed with the test.
func (r *rig) insert(path string) *emu.Drive {
	r.Helper()
	e, err := emu.Open(path, emu.Options{LosesPower: true})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if err := e.Close(); err != nil {
			r.Error(err)
		}
	})
	return e
}

// reopen mounts the disc in the drive that is plugged in.
func (r *rig) reopen(p *plug) {
	r.Helper()
	first, err := p.Open("")
	if err != nil {
		r.Fatal(err)
	}
	t, err := reopen.New(r.ctx, first, p, reopen.Options{Grace: 20 * time.Millisecond, Interval: 5 * time.Millisecond, Log: r.opt.Log})
	if err != nil {
		r.Fatal(err)
	}
	if r.disc, err = Open(r.ctx, mmc.NewDrive(t, r.opt.Log), r.opt); err != nil {
		r.Fatal(err)
	}
}

// await waits until the disc's status is as it should be, which nobody announces.
func (r *rig) await(what string, is func(Status) bool) {
	r.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(r.disc.Status()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("%s: the status stays %+v", what, r.disc.Status())
		}
	}
}

func burned(s Status) bool {
	return s.State == Idle && s.Pending == (PendingStatus{}) && s.Trouble == ""
}

// nth chooses the nth of the commands with an operation code, counted from 0.
func nth(n int, op mmc.Opcode) func(*mmc.Command) bool {
	return func(cmd *mmc.Command) bool {
		if cmd.Opcode() != op {
			return false
		}
		n--
		return n == -1
	}
}

// manifestWith is the manifest, which must hold all files of an earlier one and a new
// one.
func (r *rig) manifestWith(earlier, name string) string {
	r.Helper()
	now := r.manifest()
	for line := range strings.Lines(earlier) {
		if !strings.HasPrefix(line, " ") && // the root has changed
			!strings.Contains(now, line) {
			r.Errorf("lost: %s", line)
		}
	}
	if !strings.Contains(now, "/"+name+" ") {
		r.Errorf("%s is not in\n%s", name, now)
	}
	return now
}

// TestVanishes: the drive goes in the middle of a commit, whatever it is doing, and
// stays away for longer than a commit waits.
func TestVanishes(t *testing.T) {
	for _, media := range []emu.Media{"bd-r", "cd-r", "dvd-r", "dvd+r", "bd-re", "dvd+rw", "dvd-rw-overwrite", ""} {
		for _, c := range []struct {
			reason string
			op     mmc.Opcode
			n      int
			late   bool // after the command
			power  bool
		}{
			{"looking at the disc", mmc.OpReadDiscInformation, 0, false, false},
			{"the first WRITE", mmc.OpWrite10, 0, false, false},
			{"in the middle", mmc.OpWrite10, 5, false, false},
			{"in the middle, the block is on the disc", mmc.OpWrite10, 5, true, false},
			{"in the middle, with its power", mmc.OpWrite10, 5, true, true},
			{"synchronising", mmc.OpSynchronizeCache, 0, true, false},
			{"synchronising, with its power", mmc.OpSynchronizeCache, 0, false, true},
			{"closing", mmc.OpCloseTrackSession, 0, false, true},
			{"closed", mmc.OpCloseTrackSession, 0, true, false},
			{"reading back", mmc.OpRead10, 3, false, false},
		} {
			if media == "" && c.power {
				continue // a plain file has no disc state to lose
			}
			t.Run(fmt.Sprintf("media=%s/%s", media, c.reason), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, media)
				if media == "" {
					r.open() // makes the file
					r.close()
				}
				p := r.plugIn()
				r.put("kept", []byte("of the first session"))
				r.commit()
				p.late, p.power = c.late, c.power
				r.put("f", bytes.Repeat([]byte("new data"), 100_000))
				want := r.manifest()
				p.when(nth(c.n, c.op))
				begin := time.Now()
				_, err := r.disc.Commit(r.ctx, "test", nil)
				p.mu.Lock()
				pulled := p.pulled
				p.mu.Unlock()
				if !pulled {
					// Overwritable media are not closed.
					if err != nil || c.op != mmc.OpCloseTrackSession {
						t.Fatalf("the drive did not go, the commit says %v", err)
					}
					return
				}
				if !errors.Is(err, mmc.ErrDriveGone) {
					t.Fatalf("the commit says %v", err)
				}
				if took := time.Since(begin); took > time.Minute {
					t.Errorf("it failed after %v", took)
				}
				s := r.disc.Status()
				if s.State != Failed || !strings.Contains(s.Trouble, "Connect it again") || s.LastError == "" {
					t.Errorf("status %+v", s)
				}
				// The mount is as usable as it can be.
				if got := r.get(r.dir("f")); len(got) != 800_000 {
					t.Errorf("%d staged bytes can be read", len(got))
				}
				r.put("staged", []byte("while the drive was away"))
				p.in(nil)
				r.await("the drive is back", burned)
				want = r.manifestWith(want, "staged")
				if !p.locked() {
					t.Error("the door is not locked any more")
				}
				r.close()
				if p.locked() {
					t.Error("the door stays locked")
				}
				r.reopen(p)
				r.same("mounted again", want)
				r.close()
			})
		}
	}
}

// TestComesBackSoon: a commit survives a drive that is away for a moment, and one
// that is reset.
func TestComesBackSoon(t *testing.T) {
	for _, media := range []emu.Media{"bd-r", "bd-re"} {
		t.Run(string(media), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, media)
			p := r.plugIn()
			r.opt.waits.commit = 2 * time.Minute
			r.disc.opt.waits.commit = 2 * time.Minute
			r.put("f", bytes.Repeat([]byte("new data"), 100_000))
			want := r.manifest()
			p.power = true
			p.when(nth(5, mmc.OpWrite10))
			seen, over := make(chan bool, 1), make(chan struct{})
			go func() {
				for {
					p.mu.Lock()
					pulled := p.pulled
					p.mu.Unlock()
					if pulled && r.disc.Status().Trouble != "" {
						p.in(nil)
						seen <- true
						return
					}
					select {
					case <-over:
						seen <- false
						return
					case <-time.After(time.Millisecond): // nobody announces it
					}
				}
			}()
			rep, err := r.disc.Commit(r.ctx, "test", nil)
			close(over)
			if err != nil || !rep.Burned {
				t.Fatalf("%+v, %v", rep, err)
			}
			if !<-seen {
				t.Error("the status never told that the drive was gone")
			}
			r.await("burned", burned)
			r.same("burned", want)
			r.close()
			r.reopen(p)
			r.same("mounted again", want)
		})
	}
}

// TestComesBackWithAnotherDisc: nothing is written to it, and the burn goes on with
// the right one.
func TestComesBackWithAnotherDisc(t *testing.T) {
	for _, media := range []emu.Media{"bd-re", "bd-r", "dvd+rw"} {
		t.Run(string(media), func(t *testing.T) {
			t.Parallel()
			other := newRig(t, media)
			other.open()
			other.put("theirs", make([]byte, 300_000))
			other.remount()
			other.close()

			r := newRig(t, media)
			p := r.plugIn()
			r.put("kept", []byte("of the first session"))
			r.commit()
			mine := p.drive
			r.put("f", bytes.Repeat([]byte("new data"), 100_000))
			want := r.manifest()
			p.when(nth(5, mmc.OpWrite10))
			if _, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, mmc.ErrDriveGone) {
				t.Fatal(err)
			}
			before := files(t, other.path)
			p.in(other.insert(other.path))
			r.await("the wrong disc", func(s Status) bool { return strings.Contains(s.Trouble, "another disc") })
			if _, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, ErrWrongDisc) {
				t.Errorf("committing to the wrong disc: %v", err)
			}
			if s := r.disc.Status(); s.Disc.Sessions != 1 {
				t.Errorf("the status is that of the other disc: %+v", s.Disc)
			}
			r.put("staged", []byte("while another disc was in the drive"))
			if files(t, other.path) != before {
				t.Fatal("the other disc was written to")
			}
			p.mu.Lock()
			p.out()
			p.mu.Unlock()
			p.in(mine)
			r.await("the right disc", burned)
			want = r.manifestWith(want, "staged")
			r.close()
			r.reopen(p)
			r.same("mounted again", want)
			r.close()
		})
	}
}

// TestExchangedWhileIdle: another disc is in the drive, and nobody has announced it
// but the drive. Its files are not taken for those of the disc that was mounted.
func TestExchangedWhileIdle(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		t.Run(fmt.Sprintf("ro=%v", readOnly), func(t *testing.T) {
			t.Parallel()
			big := bytes.Repeat([]byte("mine"), 100_000)
			discs := map[string]*rig{}
			for _, name := range []string{"mine", "theirs"} {
				d := newRig(t, "bd-re")
				d.open()
				d.put("f", bytes.Repeat([]byte(name), 100_000)[:len(big)])
				d.remount()
				d.close()
				discs[name] = d
			}
			r, other := discs["mine"], discs["theirs"]
			r.opt.ReadOnly = readOnly
			p := r.plugIn()
			if !p.locked() {
				t.Error("the door of a mounted disc is not locked")
			}
			mine := p.drive
			n := r.dir("f")
			read := func() ([]byte, error) {
				r.disc.disc.Forget()
				b := make([]byte, len(big))
				_, err := r.disc.Tree().ReadAt(r.ctx, n, b, 0)
				return b, err
			}
			if b, err := read(); err != nil || !bytes.Equal(b, big) {
				t.Fatalf("%v", err)
			}
			before := files(t, other.path)
			for round := range 2 {
				p.mu.Lock()
				p.out()
				p.mu.Unlock()
				p.in(other.insert(other.path))
				for range 2 { // the second time it is known already
					if b, err := read(); !errors.Is(err, ErrWrongDisc) {
						t.Fatalf("round %d: another disc gives %.20q, %v", round, b, err)
					}
				}
				if s := r.disc.Status(); !strings.Contains(s.Trouble, "another disc") {
					t.Errorf("status %+v", s)
				}
				if !readOnly {
					r.put(fmt.Sprint("staged", round), []byte("meanwhile"))
					if _, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, ErrWrongDisc) {
						t.Errorf("committing: %v", err)
					}
				}
				p.mu.Lock()
				p.out()
				p.mu.Unlock()
				r.await("no drive", func(s Status) bool { return strings.Contains(s.Trouble, "drive is gone") })
				if err := other.unplug(p); err != nil {
					t.Error(err)
				}
				if files(t, other.path) != before {
					t.Fatal("the other disc was written to")
				}
				p.in(mine)
				r.await("the right disc", burned)
				if b, err := read(); err != nil || !bytes.Equal(b, big) {
					t.Fatalf("the right disc again: %v", err)
				}
			}
			r.close()
			if p.locked() {
				t.Error("the door stays locked")
			}
		})
	}
}

// unplug closes the emulated drive of another disc.
func (r *rig) unplug(p *plug) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drive.(*emu.Drive).Close()
}

// TestEmptied: the disc is taken out by the emergency hole and put in again.
func TestEmptied(t *testing.T) {
	r := newRig(t, "bd-r")
	p := r.plugIn()
	r.put("f", []byte("first"))
	r.commit()
	e := p.drive.(*emu.Drive)
	tray := func(operation byte) {
		cmd := &mmc.Command{CDB: []byte{byte(mmc.OpPreventAllowRemoval), 0, 0, 0, 0, 0}, Timeout: time.Minute}
		if err := e.Execute(r.ctx, cmd); err != nil {
			t.Fatal(err)
		}
		cmd.CDB = []byte{byte(mmc.OpStartStopUnit), 0, 0, 0, operation, 0}
		if err := e.Execute(r.ctx, cmd); err != nil {
			t.Fatal(err)
		}
	}
	tray(2)
	r.put("g", []byte("second"))
	if _, err := r.disc.Commit(r.ctx, "test", nil); !errors.Is(err, mmc.ErrNoMedium) {
		t.Errorf("committing to an empty drive: %v", err)
	}
	if s := r.disc.Status(); !strings.Contains(s.Trouble, "Insert it again") {
		t.Errorf("status %+v", s)
	}
	tray(3)
	r.await("the disc is in again", burned)
	want := r.manifest()
	r.close()
	r.reopen(p)
	r.same("mounted again", want)
}
