package prepare_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/mmc/prepare"
)

func names(fs []prepare.Format) string {
	var w []string
	for _, f := range fs {
		w = append(w, fmt.Sprintf("%s:%d-%d", f.Name, f.Blocks, f.Spare))
	}
	return strings.Join(w, " ")
}

// TestFormats formats media in every way the drive offers, blank ones and such
// that hold data, and burns to them.
func TestFormats(t *testing.T) {
	for _, c := range []struct {
		media       emu.Media
		unformatted bool
		blocks      int64
		want        string // name:blocks-spare
		reason      string
	}{
		{emu.BDR, false, 0, "default:11826176-393216 large-spare:11564032-655360 small-spare:12088320-131072", "as sold"},
		{emu.BDR, false, 62500864, "default:60403712-2097152 large-spare:59005632-3495232 small-spare:62476288-24576", "four layers"},
		{emu.BDRE, true, 0, "default:11826176-393216 large-spare:11564032-655360 small-spare:12088320-131072 no-spare:12219392-0", "as sold"},
		{emu.BDRE, false, 4096, "default:4096-128 large-spare:4032-192 small-spare:4192-32 no-spare:4224-0", "formatted already"},
		{emu.DVDPlusRW, true, 4096, "default:4096-0", "as sold"},
		{emu.DVDPlusRW, false, 4096, "default:4096-0", "formatted already"},
		{emu.DVDRW, false, 4096 + 38*16, "full:4096-0 quick:0-0", "sequential"},
		{emu.DVDRAM, false, 0, "default:2236704-0 full-size:2295072-0 more-spare:2201760-0", "as sold"},
	} {
		count := len(strings.Fields(c.want))
		for i := range count {
			d := newDisc(t, c.media, emu.CreateOptions{Blocks: c.blocks, Unformatted: c.unformatted})
			fs, err := prepare.Formats(t.Context(), d.drive, d.inspect())
			if err != nil || names(fs) != c.want {
				t.Fatalf("%s, %s: %s, want %s; %v", c.media, c.reason, names(fs), c.want, err)
			}
			f := fs[i]
			last := -1.0
			err = prepare.FormatMedium(t.Context(), d.drive, d.inspect(), f, prepare.FormatOptions{Progress: func(p float64) { last = p }})
			if err != nil || last != 1 {
				t.Errorf("%s %s: %v, progress %v", c.media, f.Name, err, last)
				continue
			}
			now := d.inspect()
			if f.Blocks > 0 && now.Total != f.Blocks || now.Total == 0 || now.Unformatted || now.NotWritableReason != "" || now.Kind == medium.Sequential && (now.Status != medium.Blank || now.Free != f.Blocks) {
				t.Errorf("%s %s: %+v", c.media, f.Name, now)
			}
			d.burn(320, false)
		}
	}
}

// TestFormatRefusals has what cannot be formatted, each with its reason.
func TestFormatRefusals(t *testing.T) {
	for _, c := range []struct {
		media emu.Media
		setup func(d *disc)
		want  string
	}{
		{emu.CDR, nil, "never formatted"},
		{emu.CDRW, nil, "blank it"},
		{emu.DVDPlusR, nil, "never formatted"},
		{emu.BDR, func(d *disc) { d.burn(64, false) }, "only before its first session"},
		{emu.BDR, func(d *disc) { d.burn(64, true) }, "only before its first session"},
		{emu.BDR, func(d *disc) { d.format(prepare.Format{Type: mmc.FormatFull, Subtype: 1, Blocks: 11826176}) }, "formatted already"},
		{emu.BDR, func(d *disc) { d.raw(mmc.FormatFull, 2, 11826176) }, "random recording already"},
	} {
		d := newDisc(t, c.media, emu.CreateOptions{})
		if c.setup != nil {
			c.setup(d)
		}
		info := d.inspect()
		_, err := prepare.Formats(t.Context(), d.drive, info)
		ferr := prepare.FormatMedium(t.Context(), d.drive, info, prepare.Format{Type: mmc.FormatFull}, prepare.FormatOptions{})
		for _, err := range []error{err, ferr} {
			if r, ok := errors.AsType[*prepare.RefusedError](err); !ok || !strings.Contains(r.Reason, c.want) {
				t.Errorf("%s: %v, want %q", c.media, err, c.want)
			}
		}
	}
}

// TestFormattedBDR looks at BD-R that other programs have formatted: with
// pseudo-overwrite and for random recording they can only be read.
func TestFormattedBDR(t *testing.T) {
	for _, c := range []struct {
		subtype uint8
		want    string
	}{
		{0, "pseudo-overwrite"},
		{1, ""},
		{2, "random recording"},
	} {
		d := newDisc(t, emu.BDR, emu.CreateOptions{Blocks: 8192})
		d.raw(mmc.FormatFull, c.subtype, 7936)
		data := make([]byte, 32*mmc.BlockSize)
		if err := d.drive.Write10(t.Context(), 0, data); err != nil {
			t.Fatal(err)
		}
		if c.subtype == 1 {
			continue
		}
		now := d.inspect()
		if !strings.Contains(now.NotWritableReason, c.want) || now.Writable() || len(now.Sessions) != 1 {
			t.Errorf("sub-type %d: %+v", c.subtype, now)
		}
		if err := d.drive.ReadBlocks(t.Context(), 0, data); err != nil {
			t.Errorf("sub-type %d: %v", c.subtype, err)
		}
	}
}

func (d *disc) raw(typ mmc.FormatType, subtype uint8, blocks uint32) {
	d.Helper()
	d.inspect()
	p := mmc.NewFormatParameters(mmc.FormatDescriptor{Blocks: blocks, Type: typ}, subtype, false)
	if err := d.drive.FormatUnit(d.Context(), p); err != nil {
		d.Fatal(err)
	}
}

func (d *disc) format(f prepare.Format) {
	d.Helper()
	if err := prepare.FormatMedium(d.Context(), d.drive, d.inspect(), f, prepare.FormatOptions{}); err != nil {
		d.Fatal(err)
	}
}
