package mmc

import (
	"errors"
	"slices"
	"testing"
)

// TestClaim: what changes a medium is for the medium that was claimed only.
func TestClaim(t *testing.T) {
	changed := false
	d, f := newFake(t, func(_ int, cmd *Command) error {
		if changed && cmd.Opcode() != OpInquiry {
			changed = false
			return fail(cmd, KeyUnitAttention, 0x28, 0)
		}
		return nil
	})
	ctx := t.Context()
	block := make([]byte, BlockSize)
	write := func() error { return d.Write10(ctx, 0, block) }
	d.Claim(d.MediumChanges())
	if err := write(); err != nil {
		t.Fatal(err)
	}
	changed = true
	// Somebody else's command gets the unit attention.
	if err := d.TestUnitReady(ctx); !errors.Is(err, ErrMediumChanged) {
		t.Fatal(err)
	}
	sent := len(f.sent)
	for name, do := range map[string]func() error{
		"WRITE(10)":           write,
		"WRITE(12)":           func() error { return d.Write12(ctx, 0, block, false) },
		"SYNCHRONIZE CACHE":   func() error { return d.SynchronizeCache(ctx, true) },
		"CLOSE TRACK/SESSION": func() error { return d.CloseTrackSession(ctx, true, CloseSession, 0) },
		"FORMAT UNIT":         func() error { return d.FormatUnit(ctx, NewFormatParameters(FormatDescriptor{}, 0, true)) },
		"BLANK":               func() error { return d.Blank(ctx, true, BlankMinimal) },
		"RESERVE TRACK":       func() error { return d.ReserveTrack(ctx, 16) },
		"SEND OPC":            func() error { return d.SendOPC(ctx) },
	} {
		err := do()
		te, ok := errors.AsType[*TransportError](err)
		if !errors.Is(err, ErrNotClaimed) || !ok || !te.Unsent || Advice(err) != GiveUp {
			t.Errorf("%s on another medium: %v", name, err)
		}
	}
	if len(f.sent) != sent {
		t.Errorf("%d commands were sent", len(f.sent)-sent)
	}
	if err := d.Read10(ctx, 0, block); err != nil {
		t.Errorf("reading needs no claim: %v", err)
	}
	d.Claim(d.MediumChanges())
	if err := write(); err != nil {
		t.Errorf("claimed again: %v", err)
	}
	changed = true
	_ = d.TestUnitReady(ctx)
	d.Release()
	if err := write(); err != nil {
		t.Errorf("without a claim: %v", err)
	}
	// A WRITE that is told itself is not executed by the drive.
	d.Claim(d.MediumChanges())
	changed = true
	if err := write(); !errors.Is(err, ErrMediumChanged) {
		t.Error(err)
	}
	if err := write(); !errors.Is(err, ErrNotClaimed) {
		t.Error(err)
	}
}

// TestDoor: however a drive is let go of, its door is not left locked.
func TestDoor(t *testing.T) {
	lost := func(cmd *Command) error { return &TransportError{CDB: cmd.CDB} }
	attention := func(cmd *Command) error { return fail(cmd, KeyUnitAttention, 0x29, 0) }
	for _, c := range []struct {
		do     func(*Drive)
		answer func(n int, cmd *Command) error
		want   []uint8 // PREVENT bits that are sent
		reason string
	}{
		{func(*Drive) {}, nil, nil, "it was never locked"},
		{func(d *Drive) { _ = d.PreventAllowMediumRemoval(t.Context(), true) }, nil, []uint8{1, 0}, "it was forgotten"},
		{func(d *Drive) {
			_ = d.PreventAllowMediumRemoval(t.Context(), true)
			_ = d.PreventAllowMediumRemoval(t.Context(), false)
		}, nil, []uint8{1, 0}, "it was unlocked already"},
		{func(d *Drive) { _ = d.PreventAllowMediumRemoval(t.Context(), true) }, func(n int, cmd *Command) error {
			if n == 0 {
				return fail(cmd, KeyIllegalRequest, 0x20, 0)
			}
			return nil
		}, []uint8{1}, "the drive has no lock"},
		{func(d *Drive) { _ = d.PreventAllowMediumRemoval(t.Context(), true) }, func(n int, cmd *Command) error {
			if n == 0 {
				return lost(cmd)
			}
			return nil
		}, []uint8{1, 0}, "nobody knows whether it was locked"},
		{func(d *Drive) { _ = d.PreventAllowMediumRemoval(t.Context(), true) }, func(n int, cmd *Command) error {
			if n == 1 {
				return attention(cmd)
			}
			return nil
		}, []uint8{1, 0, 0}, "a unit attention comes instead"},
	} {
		d, f := newFake(t, c.answer)
		c.do(d)
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Error(err)
		}
		var got []uint8
		for _, cmd := range f.sent {
			got = append(got, cmd.CDB[4])
		}
		if !slices.Equal(got, c.want) || f.closed != 1 {
			t.Errorf("%s: %v was sent, want %v", c.reason, got, c.want)
		}
	}
}

// narrow is a transport that carries little, behind another one.
type narrow struct {
	fake
	bytes int
}

func (n *narrow) MaxTransfer() int           { return n.bytes }
func (n *narrow) NotWritableReason() string  { return "reason" }
func (n *narrow) Stale(capacity uint32) bool { return capacity > 10 }

type front struct{ Transport }

func (f front) Unwrap() Transport { return f.Transport }

// TestWhatTransportsSay: through whatever stands in front of them.
func TestWhatTransportsSay(t *testing.T) {
	for _, c := range []struct {
		t      Transport
		limit  int
		reason string
		stale  bool
	}{
		{&fake{}, MaxTransfer, "", false},
		{front{&fake{}}, MaxTransfer, "", false},
		{front{nil}, MaxTransfer, "", false},
		{&narrow{bytes: 1 << 20}, MaxTransfer, "reason", true},
		{&narrow{bytes: 33 << 10}, 32 << 10, "reason", true},
		{front{front{&narrow{bytes: 60 << 10}}}, 60 << 10, "reason", true},
		{&narrow{bytes: 100}, BlockSize, "reason", true},
	} {
		d := NewDrive(c.t, nil)
		if d.MaxTransfer() != c.limit || d.NotWritableReason() != c.reason || d.Stale(11) != c.stale || d.Stale(10) {
			t.Errorf("%#v: %d bytes, %q, stale %v", c.t, d.MaxTransfer(), d.NotWritableReason(), d.Stale(11))
		}
	}
	d, f := newFake(t, func(_ int, cmd *Command) error {
		cmd.Resid = 0
		return nil
	})
	d.limit = 6 * BlockSize
	if err := d.ReadBlocks(t.Context(), 0, make([]byte, 16*BlockSize)); err != nil || len(f.sent) != 3 || len(f.sent[2].Data) != 4*BlockSize {
		t.Errorf("16 blocks came in %d pieces: %v", len(f.sent), err)
	}
}

// TestSerialNumber: the feature first, the page of vital product data else.
func TestSerialNumber(t *testing.T) {
	feature := NewConfiguration(ProfileBDRSRM, NewFeature(FeatureSerialNumber, 0, true, true, []byte("K9F123\x00 ")...))
	page := func(s string) []byte { return append([]byte{0x05, 0x80, 0, byte(len(s))}, s...) }
	for _, c := range []struct {
		conf, page []byte
		want       string
		ok         bool
		reason     string
	}{
		{feature, nil, "K9F123", true, "the feature"},
		{NewConfiguration(ProfileBDRSRM), page("  0012 "), "0012", true, "the page"},
		{nil, page("0012"), "0012", true, "a drive without GET CONFIGURATION"},
		{NewConfiguration(ProfileBDRSRM), nil, "", true, "neither"},
		{NewConfiguration(ProfileBDRSRM), NewInquiry("V", "P", "R"), "", true, "a drive that does not look at EVPD"},
		{NewConfiguration(ProfileBDRSRM), []byte{5, 0x80, 0, 9, 'a', 0x1b}, "a", true, "less than it says"},
		{NewConfiguration(ProfileBDRSRM), []byte{5}, "", true, "a reply that is too short"},
	} {
		d, _ := newFake(t, func(_ int, cmd *Command) error {
			b := c.page
			if cmd.Opcode() == OpGetConfiguration {
				b = c.conf
			}
			if b == nil {
				return fail(cmd, KeyIllegalRequest, 0x24, 0)
			}
			return reply(cmd, b)
		})
		got, err := d.SerialNumber(t.Context())
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %q, %v", c.reason, got, err)
		}
	}
}

// TestLateError: a deferred error that a reader meets is kept for who has claimed
// the medium, and the reader gets his data.
func TestLateError(t *testing.T) {
	var sense Sense
	d, f := newFake(t, func(_ int, cmd *Command) error {
		if sense != nil {
			s := sense
			sense = nil
			cmd.Resid = len(cmd.Data)
			return NewSenseError(cmd.CDB, s)
		}
		return nil
	})
	deferred := func(key SenseKey) Sense {
		s := NewSense(key, 0x0c, 0)
		s.SetDeferred()
		return s
	}
	ctx := t.Context()
	block := make([]byte, BlockSize)
	for _, c := range []struct {
		claimed bool
		sense   Sense
		do      func() error
		heard   bool // by who sent the command
		kept    bool
		reason  string
	}{
		{true, deferred(KeyMediumError), func() error { return d.Read10(ctx, 0, block) }, false, true, "a reader during a burn"},
		{true, NewSense(KeyMediumError, 0x11, 0), func() error { return d.Read10(ctx, 0, block) }, true, false, "the reader's own error"},
		{true, deferred(KeyMediumError), func() error { return d.TestUnitReady(ctx) }, true, false, "the writer waits for the drive"},
		{true, deferred(KeyMediumError), func() error { return d.Write10(ctx, 0, block) }, true, false, "the writer himself"},
		{false, deferred(KeyMediumError), func() error { return d.Read10(ctx, 0, block) }, true, false, "nobody burns"},
	} {
		d.Release()
		if c.claimed {
			d.Claim(d.MediumChanges())
		}
		sense = c.sense
		if err := c.do(); (err != nil) != c.heard {
			t.Errorf("%s: %v", c.reason, err)
		}
		if err := d.LateError(); (err != nil) != c.kept {
			t.Errorf("%s: kept %v", c.reason, err)
		}
		if err := d.LateError(); err != nil {
			t.Errorf("%s: kept for ever: %v", c.reason, err)
		}
	}
	d.Claim(d.MediumChanges())
	sense = deferred(KeyMediumError)
	_ = d.Read10(ctx, 0, block)
	sent := len(f.sent)
	if err := d.SynchronizeCache(ctx, true); err == nil || len(f.sent) != sent {
		t.Errorf("the writer's next command: %v", err)
	}
	if err := d.SynchronizeCache(ctx, true); err != nil {
		t.Errorf("and the one after: %v", err)
	}
}
