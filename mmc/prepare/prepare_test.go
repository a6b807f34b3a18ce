package prepare_test

import (
	"errors"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/prepare"
)

// TestBlank blanks rewritable media in all states, and is refused by others.
func TestBlank(t *testing.T) {
	for _, full := range []bool{false, true} {
		for _, state := range []string{"blank", "appendable", "interrupted", "closed"} {
			d := newDisc(t, emu.CDRW, emu.CreateOptions{Blocks: 60000})
			switch state {
			case "appendable":
				d.burn(300, false)
			case "interrupted":
				d.burn(300, true)
			case "closed":
				d.burn(300, true)
				if err := prepare.Finalize(t.Context(), d.drive, d.inspect(), prepare.FinalizeOptions{}); err != nil {
					t.Fatal(err)
				}
				if now := d.inspect(); now.Status != medium.Complete {
					t.Fatalf("after finalizing: %v", now.Status)
				}
			}
			if err := prepare.Blank(t.Context(), d.drive, d.inspect(), prepare.BlankOptions{Full: full}); err != nil {
				t.Fatalf("%s, full %v: %v", state, full, err)
			}
			d.burn(300, false)
		}
	}
	for _, full := range []bool{false, true} {
		d := newDisc(t, emu.DVDRW, emu.CreateOptions{Blocks: 60000})
		d.burn(320, false)
		if err := prepare.Blank(t.Context(), d.drive, d.inspect(), prepare.BlankOptions{Full: full}); err != nil {
			t.Fatalf("dvd-rw, full %v: %v", full, err)
		}
		// Blanked the quick way it takes one session only, at once.
		if now := d.inspect(); now.Status != medium.Blank || (now.OneSession == "") != full {
			t.Errorf("dvd-rw, full %v: %+v", full, now)
		}
	}
	for _, m := range []emu.Media{emu.CDR, emu.DVDPlusR, emu.DVDPlusRW, emu.DVDRAM, emu.BDR, emu.BDRE} {
		d := newDisc(t, m, emu.CreateOptions{})
		err := prepare.Blank(t.Context(), d.drive, d.inspect(), prepare.BlankOptions{})
		if _, ok := errors.AsType[*prepare.RefusedError](err); !ok {
			t.Errorf("%s: %v", m, err)
		}
	}
}

// TestFinalize closes discs for good.
func TestFinalize(t *testing.T) {
	for _, c := range []struct {
		media   emu.Media
		blocks  int64
		state   string
		refused bool
		reason  string
	}{
		{emu.CDR, 60000, "blank", true, "nothing is on it"},
		{emu.CDR, 60000, "appendable", true, "only a session carries the end mark"},
		{emu.CDR, 60000, "interrupted", false, "its session carries it"},
		{emu.DVDPlusR, 20000, "appendable", false, "function 101b"},
		{emu.DVDPlusR, 20000, "interrupted", false, "function 101b"},
		{emu.BDR, 8192, "appendable", false, "function 110b"},
		{emu.BDR, 8192, "interrupted", false, "function 110b"},
		{emu.BDR, 8192, "closed", true, "already"},
		{emu.DVDPlusRW, 8192, "blank", true, "nothing to finalize"},
		{emu.BDRE, 8192, "blank", true, "nothing to finalize"},
	} {
		d := newDisc(t, c.media, emu.CreateOptions{Blocks: c.blocks})
		if c.state != "blank" {
			d.burn(320, c.state == "interrupted")
		}
		finalize := func() error {
			return prepare.Finalize(t.Context(), d.drive, d.inspect(), prepare.FinalizeOptions{})
		}
		if c.state == "closed" {
			if err := finalize(); err != nil {
				t.Fatal(err)
			}
		}
		err := finalize()
		if _, ok := errors.AsType[*prepare.RefusedError](err); ok != c.refused || !c.refused && err != nil {
			t.Errorf("%s %s (%s): %v", c.media, c.state, c.reason, err)
			continue
		}
		if now := d.inspect(); !c.refused && now.Status != medium.Complete {
			t.Errorf("%s %s (%s): %v afterwards", c.media, c.state, c.reason, now.Status)
		}
	}
}

// TestTray opens and closes the door.
func TestTray(t *testing.T) {
	d := newDisc(t, emu.BDRE, emu.CreateOptions{})
	d.inspect()
	if err := d.drive.PreventAllowMediumRemoval(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := prepare.Eject(t.Context(), d.drive); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.drive.TestUnitReady(t.Context()); !errors.Is(err, mmc.ErrNoMedium) {
		t.Errorf("with the tray open: %v", err)
	}
	for range 2 {
		if err := prepare.Load(t.Context(), d.drive); err != nil {
			t.Fatal(err)
		}
	}
	d.inspect()
}
