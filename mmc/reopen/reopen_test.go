package reopen_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/reopen"
)

// drive is a drive at the end of a cable.
type drive struct {
	product, serial string
	dead            bool
	sent            []mmc.Opcode
	closed          int
	limit           int
}

func (d *drive) Execute(_ context.Context, cmd *mmc.Command) error {
	if d.dead {
		return &mmc.TransportError{CDB: cmd.CDB, Gone: true, Err: syscall.ENODEV}
	}
	d.sent = append(d.sent, cmd.Opcode())
	reply := func(b []byte) error {
		cmd.Resid = len(cmd.Data) - copy(cmd.Data, b)
		return nil
	}
	switch {
	case cmd.Opcode() == mmc.OpInquiry && cmd.CDB[1] == 0:
		return reply(mmc.NewInquiry("MAKER", d.product, "1"))
	case cmd.Opcode() == mmc.OpInquiry && d.serial != "":
		return reply(append([]byte{5, 0x80, 0, byte(len(d.serial))}, d.serial...))
	case cmd.Opcode() == mmc.OpInquiry, cmd.Opcode() == mmc.OpGetConfiguration:
		return mmc.NewSenseError(cmd.CDB, mmc.NewSense(mmc.KeyIllegalRequest, 0x20, 0))
	}
	return nil
}

func (d *drive) Close() error {
	d.closed++
	return nil
}

func (d *drive) MaxTransfer() int { return d.limit }

// room is where drives are plugged in.
type room struct {
	mu     sync.Mutex // guards drives
	names  []string
	drives map[string]*drive
	opened []string
}

func (r *room) Candidates() []string { return r.names }

func (r *room) Open(name string) (mmc.Transport, error) {
	r.opened = append(r.opened, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.drives[name]; d != nil {
		return d, nil
	}
	return nil, syscall.ENOENT
}

func ready() *mmc.Command { return &mmc.Command{CDB: make([]byte, 6), Timeout: time.Minute} }

// TestComesBack: which drive is taken for the one that went, and what those above
// hear of it.
func TestComesBack(t *testing.T) {
	for _, c := range []struct {
		reason string
		found  map[string]*drive
		want   string // the name under which it is found; empty: it is not
	}{
		{"under its own name", map[string]*drive{"sr0": {product: "BURNER", serial: "1"}}, "sr0"},
		{"under another name", map[string]*drive{"sr1": {product: "BURNER", serial: "1"}}, "sr1"},
		{"beside another of its kind", map[string]*drive{"sr0": {product: "BURNER", serial: "2"}, "sr1": {product: "BURNER", serial: "1"}}, "sr1"},
		{"behind a bridge that hides the number", map[string]*drive{"sr0": {product: "BURNER"}}, "sr0"},
		{"another of its kind", map[string]*drive{"sr0": {product: "BURNER", serial: "2"}}, ""},
		{"another model", map[string]*drive{"sr0": {product: "READER", serial: "1"}}, ""},
		{"it answers nothing", map[string]*drive{"sr0": {product: "BURNER", serial: "1", dead: true}}, ""},
		{"it comes back through a narrow way", map[string]*drive{"sr0": {product: "BURNER", serial: "1", limit: 4096}}, ""},
		{"not at all", nil, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, d := range c.found {
				if d.limit == 0 {
					d.limit = mmc.MaxTransfer
				}
			}
			first := &drive{product: "BURNER", serial: "1", limit: mmc.MaxTransfer}
			r := &room{names: []string{"sr0", "sr1"}}
			ctx := t.Context()
			tr, err := reopen.New(ctx, first, r, reopen.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.Execute(ctx, ready()); err != nil || len(r.opened) != 0 {
				t.Fatalf("%s: %v, %v", c.reason, err, r.opened)
			}
			first.dead = true
			err = tr.Execute(ctx, ready())
			if te, ok := errors.AsType[*mmc.TransportError](err); !ok || !te.Gone || te.Unsent || first.closed != 1 {
				t.Fatalf("%s: the drive went: %v", c.reason, err)
			}
			time.AfterFunc(3*time.Second, func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.drives = c.found
			})
			begin := time.Now()
			err = tr.Execute(ctx, ready())
			waited := time.Since(begin)
			if c.want == "" {
				te, ok := errors.AsType[*mmc.TransportError](err)
				if !ok || !te.Gone || !te.Unsent || waited != reopen.DefaultGrace {
					t.Errorf("%s: after %v: %v", c.reason, waited, err)
				}
				for name, d := range c.found {
					if d.closed == 0 {
						t.Errorf("%s: %s stays open", c.reason, name)
					}
				}
			} else {
				if !errors.Is(err, mmc.ErrMediumChanged) || waited < 3*time.Second || waited > 5*time.Second {
					t.Errorf("%s: after %v: %v", c.reason, waited, err)
				}
				if err := tr.Execute(ctx, ready()); err != nil {
					t.Errorf("%s: the command after: %v", c.reason, err)
				}
				if d := c.found[c.want]; !slices.Contains(d.sent, mmc.OpTestUnitReady) {
					t.Errorf("%s: %s did not get it", c.reason, c.want)
				}
			}
			if err := errors.Join(tr.Close(), tr.Close()); err != nil {
				t.Error(err)
			}
			for name, d := range c.found {
				if d.closed > 1 && c.want != "" {
					t.Errorf("%s: %s was closed %d times", c.reason, name, d.closed)
				}
			}
			if err := tr.Execute(ctx, ready()); !errors.Is(err, mmc.ErrDriveGone) {
				t.Errorf("%s: after Close: %v", c.reason, err)
			}
		})
	}
}

// TestLater: when the time of grace is over commands fail at once, and the drive is
// not looked for more often than is good.
func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &drive{product: "BURNER", limit: mmc.MaxTransfer}
		r := &room{names: []string{"sr0"}}
		ctx := t.Context()
		tr, err := reopen.New(ctx, first, r, reopen.Options{Grace: time.Second, Interval: 500 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		first.dead = true
		for range 2 {
			_ = tr.Execute(ctx, ready())
		}
		looks := len(r.opened)
		if looks < 2 || looks > 3 {
			t.Errorf("%d looks in a second", looks)
		}
		begin := time.Now()
		for range 1000 {
			if err := tr.Execute(ctx, ready()); !errors.Is(err, mmc.ErrDriveGone) || !strings.Contains(err.Error(), "the drive is gone") {
				t.Fatal(err)
			}
		}
		if time.Since(begin) != 0 || len(r.opened) > looks+1 {
			t.Errorf("a thousand commands took %v and looked %d times", time.Since(begin), len(r.opened)-looks)
		}
		r.drives = map[string]*drive{"sr0": {product: "BURNER", limit: mmc.MaxTransfer}}
		time.Sleep(time.Hour) // fake time: the grace is long over
		if err := tr.Execute(ctx, &mmc.Command{CDB: []byte{byte(mmc.OpInquiry), 0, 0, 0, 36, 0}, Data: make([]byte, 36), Direction: mmc.FromDrive}); err != nil {
			t.Errorf("INQUIRY is answered in any case: %v", err)
		}
		if err := tr.Execute(ctx, ready()); !errors.Is(err, mmc.ErrMediumChanged) {
			t.Errorf("after an hour: %v", err)
		}
		if err := tr.Execute(ctx, ready()); err != nil {
			t.Error(err)
		}
		_ = tr.Close()
	})
}

// TestContext: who waits for a drive can give up.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := &drive{product: "BURNER", limit: mmc.MaxTransfer}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		tr, err := reopen.New(ctx, first, &room{}, reopen.Options{})
		if err != nil {
			t.Fatal(err)
		}
		first.dead = true
		_ = tr.Execute(ctx, ready())
		begin := time.Now()
		if err := tr.Execute(ctx, ready()); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 2*time.Second {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		_ = tr.Close()
	})
}

// TestMute: a drive that does not say who it is cannot be watched over.
func TestMute(t *testing.T) {
	d := &drive{dead: true}
	if _, err := reopen.New(t.Context(), d, &room{}, reopen.Options{}); !errors.Is(err, mmc.ErrDriveGone) || d.closed != 1 {
		t.Errorf("%v, closed %d times", err, d.closed)
	}
	id, err := reopen.Identify(t.Context(), &drive{product: "BURNER", serial: "7"})
	if err != nil || id.String() != "MAKER BURNER (7)" {
		t.Errorf("%v, %v", id, err)
	}
}

// stalling is a drive behind a bridge that fails at questions for a number.
type stalling struct {
	*drive
	err error
}

func (s stalling) Execute(ctx context.Context, cmd *mmc.Command) error {
	if cmd.Opcode() == mmc.OpInquiry && cmd.CDB[1] != 0 {
		return s.err
	}
	return s.drive.Execute(ctx, cmd)
}

// TestBridge: a drive whose bridge cannot ask for its number can be used all the
// same.
func TestBridge(t *testing.T) {
	vpd := []byte{byte(mmc.OpInquiry), 1, 0x80, 0, 252, 0}
	for _, c := range []struct {
		err    error
		fails  bool
		reason string
	}{
		{&mmc.TransportError{CDB: vpd, Host: 7}, false, "it stalls"},
		{mmc.NewSenseError(vpd, mmc.NewSense(mmc.KeyAbortedCommand, 0, 0)), false, "it aborts the command"},
		{mmc.NewSenseError(vpd, mmc.NewSense(mmc.KeyHardwareError, 0x44, 0)), false, "it calls that an internal failure"},
		{&mmc.TransportError{CDB: vpd, Gone: true}, true, "the cable is pulled"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := stalling{&drive{product: "BURNER"}, c.err}
			r, err := reopen.New(t.Context(), d, &room{}, reopen.Options{})
			if c.fails != (err != nil) {
				t.Errorf("%s: %v", c.reason, err)
			}
			if err == nil && r.Identity().Product != "BURNER" {
				t.Errorf("%s: it calls itself %v", c.reason, r.Identity())
			}
		})
	}
}
