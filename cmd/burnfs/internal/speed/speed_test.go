package speed

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in     string
		want   Wish
		ok     bool
		reason string
	}{
		{"4x", Wish{Times: 4}, true, "the usual way"},
		{"2.4X", Wish{Times: 2.4}, true, "DVD+R began with it"},
		{"5540", Wish{KBps: 5540}, true, "as drives say it"},
		{"0", Wish{}, false, "no speed at all"},
		{"0x", Wish{}, false, "no speed at all"},
		{"-4x", Wish{}, false, "backwards"},
		{"x", Wish{}, false, "no number"},
		{"", Wish{}, false, "nothing"},
		{"1e1x", Wish{}, false, "numbers as people write them"},
		{"0x1p4x", Wish{}, false, "not in hexadecimal"},
		{"NaNx", Wish{}, false, "no number"},
		{"99999999x", Wish{}, false, "no drive"},
		{"99999999999999999999", Wish{}, false, "no drive"},
		{"fast", Wish{}, false, "no number"},
	} {
		got, err := Parse(tt.in)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("Parse(%q) = %+v, %v; want %+v (%s)", tt.in, got, err, tt.want, tt.reason)
		}
		if again, err := Parse(got.String()); tt.ok && (again != got || err != nil) {
			t.Errorf("Parse(%q): %v, %v: not what was printed", got.String(), again, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"4x", "5540", "", "x", ".x", "1..2x", "0.00000001x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := Parse(s)
		if err != nil {
			return
		}
		if w.IsZero() || w.Times < 0 || w.KBps < 0 || w.For(mmc.ProfileBDRE) < 0 {
			t.Fatalf("%q: %+v", s, w)
		}
	})
}

func TestSettle(t *testing.T) {
	dvd := []uint32{22160, 11080, 5540, 1385}
	cd := []uint32{8467, 2822, 707, 176}
	for _, tt := range []struct {
		wish    Wish
		profile mmc.Profile
		offered []uint32
		want    int
		says    string
		reason  string
	}{
		{Wish{Times: 4}, mmc.ProfileDVDPlusR, dvd, 5540, "", "offered"},
		{Wish{Times: 6}, mmc.ProfileDVDPlusR, dvd, 5540, "next lower speed, 4x (5540 kB/s)", "between two"},
		{Wish{KBps: 5539}, mmc.ProfileDVDPlusR, dvd, 5540, "", "rounded"},
		{Wish{KBps: 5500}, mmc.ProfileDVDPlusR, dvd, 1385, "next lower speed", "never a faster one"},
		{Wish{KBps: 500}, mmc.ProfileDVDPlusR, dvd, 1385, "its slowest", "below all: the slowest is what comes nearest"},
		{Wish{Times: 100}, mmc.ProfileDVDPlusR, dvd, 22160, "next lower speed, 16x", "above all"},
		{Wish{Times: 4}, mmc.ProfileCDR, cd, 707, "", "705.6, as this drive rounds it"},
		{Wish{Times: 4}, mmc.ProfileBDRSRM, []uint32{17982, 8991}, 17982, "", "the same factor is another speed there"},
		{Wish{Times: 4}, mmc.ProfileNone, dvd, 0, "the drive chooses", "a multiple of nothing"},
		{Wish{KBps: 1000}, mmc.ProfileDVDPlusR, nil, 0, "does not tell", "nothing is asked of a drive that it has not offered"},
		{Wish{KBps: 1000}, mmc.ProfileDVDPlusR, []uint32{0, 0}, 0, "does not tell", "empty descriptors"},
	} {
		got := settle(tt.wish, tt.profile, tt.offered)
		if got.KBps != tt.want || (tt.says == "") != (got.Note == "") || !strings.Contains(got.Note, tt.says) {
			t.Errorf("%v on %v of %v: %+v, want %d saying %q (%s)", tt.wish, tt.profile, tt.offered, got, tt.want, tt.says, tt.reason)
		}
	}
}

// Every emulated medium offers speeds, and each of them can be had.
func TestOffered(t *testing.T) {
	for _, name := range emu.MediaNames() {
		path := filepath.Join(t.TempDir(), "disc")
		if err := emu.Create(path, emu.Media(name), emu.CreateOptions{Blocks: 4096}); err != nil {
			t.Fatal(err)
		}
		tr, err := emu.Open(path, emu.Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := mmc.NewDrive(tr, nil)
		if err := d.WaitReady(t.Context(), "test", mmc.ReadyLimit); err != nil {
			t.Fatal(err)
		}
		offered, err := Offered(t.Context(), d)
		if err != nil || len(offered) == 0 || !slices.IsSortedFunc(offered, func(a, b uint32) int { return int(b) - int(a) }) {
			t.Errorf("%s: %v, %v", name, offered, err)
		}
		for _, o := range offered {
			if s, err := Settle(t.Context(), d, Wish{KBps: int(o)}); err != nil || s != (Settled{KBps: int(o)}) {
				t.Errorf("%s: %d became %+v, %v", name, o, s, err)
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
