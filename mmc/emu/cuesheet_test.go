package emu

import (
	"fmt"
	"testing"
)

// sheet makes a cue sheet of entries "control track.index.form@block".
func sheet(entries ...string) []byte {
	var b []byte
	for _, e := range entries {
		var ctl, tno, index, form, at int
		if _, err := fmt.Sscanf(e, "%x %d.%d.%x@%d", &ctl, &tno, &index, &form, &at); err != nil {
			panic(e + ": " + err.Error())
		}
		f := at + cdPreGap
		b = append(b, byte(ctl<<4|adrPosition), byte(tno), byte(index), byte(form), 0, byte(f/75/60), byte(f/75%60), byte(f%75))
	}
	return b
}

func TestParseCueSheet(t *testing.T) {
	type x = extent
	raw := func(b ...byte) []byte { return b }
	one := []string{"4 0.0.14@-150", "4 1.0.10@-150", "4 1.1.10@0", "4 170.1.14@1000"}
	with := func(n int, e string) []byte {
		s := append([]string(nil), one...)
		s[n] = e
		return sheet(s...)
	}
	catalog := raw(0x02, '1', '2', '3', '4', '5', '6', '7')
	isrc := raw(0x43, 1, 'A', 'B', 'C', 'D', 'E', 'F')
	for _, c := range []struct {
		reason string
		sheet  []byte
		start  uint32
		number int
		tracks []extent
		end    uint32
		mode2  bool
		bad    int // offset of the refused byte, plus 1
	}{
		{reason: "a track of mode 1", sheet: sheet(one...), tracks: []x{{0, 1000}}, end: 1000},
		{reason: "of XA", sheet: sheet("4 0.0.24@-150", "4 1.0.20@-150", "4 1.1.20@0", "4 170.1.24@300"), tracks: []x{{0, 300}}, end: 300, mode2: true},
		{reason: "copying permitted", sheet: with(2, "6 1.1.10@0"), tracks: []x{{0, 1000}}, end: 1000},
		{reason: "a later session, lead-in at 00:00:00", sheet: sheet("4 0.0.14@-150", "4 3.0.10@11550", "4 3.1.10@11700", "4 170.1.14@12000"),
			start: 11700, number: 3, tracks: []x{{11700, 300}}, end: 12000},
		{reason: "a later session, lead-in at the pre-gap", sheet: sheet("4 0.0.14@11550", "4 3.0.10@11550", "4 3.1.10@11700", "4 170.1.14@12000"),
			start: 11700, number: 3, tracks: []x{{11700, 300}}, end: 12000},
		{reason: "two tracks, the second with a pre-gap, and an index",
			sheet:  sheet("4 0.0.14@-150", "4 1.0.10@-150", "4 1.1.10@0", "4 1.2.10@200", "4 2.0.10@400", "4 2.1.10@550", "4 170.1.14@850"),
			tracks: []x{{0, 400}, {550, 300}}, end: 850},
		{reason: "two tracks without a gap", sheet: sheet("4 0.0.14@-150", "4 1.0.10@-150", "4 1.1.10@0", "4 2.1.10@300", "4 170.1.14@600"),
			tracks: []x{{0, 300}, {300, 300}}, end: 600},
		{reason: "catalog number and ISRC", sheet: append(append(append(append(append([]byte(nil), catalog...), catalog...), sheet(one[0])...), append(isrc, isrc...)...), sheet(one[1:]...)...),
			tracks: []x{{0, 1000}}, end: 1000},

		{reason: "nothing", sheet: nil, bad: -1},
		{reason: "half an entry", sheet: sheet(one...)[:20], bad: -1},
		{reason: "no track", sheet: sheet("4 0.0.14@-150", "4 1.0.10@-150", "4 170.1.14@1000"), bad: -1},
		{reason: "a form that nobody knows, as wodim makes it of XA", sheet: with(0, "4 0.0.fc@-150"), bad: 0*8 + 4},
		{reason: "audio", sheet: sheet("0 0.0.1@-150", "0 1.0.0@-150", "0 1.1.0@0", "0 170.1.1@1000"), bad: 0*8 + 1},
		{reason: "no lead-in", sheet: sheet(append([]string{one[1]}, one[1:]...)...), bad: 0*8 + 2},
		{reason: "index of the lead-in", sheet: with(0, "4 0.1.14@-150"), bad: 0*8 + 3},
		{reason: "lead-in somewhere", sheet: with(0, "4 0.0.14@0"), bad: 0*8 + 6},
		{reason: "no pre-gap", sheet: with(1, "4 1.1.10@-150"), bad: 1*8 + 3},
		{reason: "pre-gap too long", sheet: with(1, "4 1.0.10@-149"), bad: 1*8 + 6},
		{reason: "track behind its place", sheet: with(2, "4 1.1.10@1"), bad: 2*8 + 6},
		{reason: "form changes in a track", sheet: with(2, "4 1.1.20@0"), bad: 2*8 + 4},
		{reason: "form of the pre-gap", sheet: with(1, "4 1.0.20@-150"), bad: 1*8 + 4},
		{reason: "lead-out with data", sheet: with(3, "4 170.1.10@1000"), bad: 3*8 + 4},
		{reason: "lead-out of another kind", sheet: with(3, "4 170.1.24@1000"), bad: 3*8 + 4},
		{reason: "index of the lead-out", sheet: with(3, "4 170.0.14@1000"), bad: 3*8 + 3},
		{reason: "no lead-out", sheet: with(3, "4 2.1.10@1000"), bad: 3*8 + 2},
		{reason: "lead-out twice", sheet: sheet(append(one, one[3])...), bad: 3*8 + 2},
		{reason: "track number skipped", sheet: with(1, "4 2.0.10@-150"), bad: 1*8 + 2},
		{reason: "track number of another session", sheet: sheet(one...), start: 0, number: 2, bad: 1*8 + 2},
		{reason: "a track of 299 blocks", sheet: with(3, "4 170.1.14@299"), bad: 3*8 + 6},
		{reason: "a first track of 299 blocks", sheet: sheet("4 0.0.14@-150", "4 1.0.10@-150", "4 1.1.10@0", "4 2.1.10@299", "4 170.1.14@700"), bad: 3*8 + 6},
		{reason: "backwards", sheet: sheet("4 0.0.14@-150", "4 1.0.10@-150", "4 1.1.10@0", "4 1.2.10@500", "4 170.1.14@400"), bad: 4*8 + 6},
		{reason: "more than the disc has", sheet: with(3, "4 170.1.14@5001"), bad: 3*8 + 6},
		{reason: "an index skipped", sheet: sheet("4 0.0.14@-150", "4 1.0.10@-150", "4 1.1.10@0", "4 1.3.10@500", "4 170.1.14@1000"), bad: 3*8 + 3},
		{reason: "75 frames in a second", sheet: append(sheet(one[:3]...), 0x41, 0xaa, 1, 0x14, 0, 0, 12, 75), bad: 3*8 + 6},
		{reason: "half a catalog number", sheet: append(catalog, sheet(one...)...), bad: 0*8 + 1},
		{reason: "an entry about nothing", sheet: append(raw(0x44, 0, 0, 0, 0, 0, 0, 0), sheet(one...)...), bad: 0*8 + 1},
	} {
		number := max(1, c.number)
		blocks := max(5000, c.start+5000)
		r, err := parseCueSheet(c.sheet, c.start, number, blocks)
		if c.bad != 0 {
			s, ok := err.(sense)
			want := invalidParameter.inParameters(c.bad - 1)
			if c.bad < 0 {
				want = parameterLength
			}
			if !ok || s != want {
				t.Errorf("%s: %+v, want %+v", c.reason, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %+v", c.reason, err)
			continue
		}
		if fmt.Sprint(r.tracks) != fmt.Sprint(c.tracks) || r.end != c.end || r.mode2 != c.mode2 || r.next != int64(c.start)-150 {
			t.Errorf("%s: %+v", c.reason, r)
		}
	}
}

// FuzzCueSheet gives anything as a cue sheet. What is accepted is a layout that a
// session can have.
func FuzzCueSheet(f *testing.F) {
	f.Add(sheet("4 0.0.14@-150", "4 1.0.10@-150", "4 1.1.10@0", "4 1.2.10@200", "4 2.0.10@400", "4 2.1.10@550", "4 170.1.14@850"), uint32(0), byte(1))
	f.Add(sheet("4 0.0.24@11550", "4 3.0.20@11550", "4 3.1.20@11700", "4 170.1.24@12000"), uint32(11700), byte(3))
	f.Fuzz(func(t *testing.T, b []byte, start uint32, number byte) {
		const blocks = 100000
		start %= blocks
		n := int(number)%cdMaxTracks + 1
		r, err := parseCueSheet(b, start, n, blocks)
		if err != nil {
			if _, ok := err.(sense); !ok {
				t.Fatal(err)
			}
			return
		}
		next := uint64(start)
		for _, x := range r.tracks {
			if uint64(x.start) < next || x.size < cdShortest {
				t.Fatalf("% x: tracks %v", b, r.tracks)
			}
			next = uint64(x.start) + uint64(x.size)
		}
		if len(r.tracks) == 0 || n+len(r.tracks)-1 > cdMaxTracks || next != uint64(r.end) && uint64(r.end) < next || r.end > blocks {
			t.Fatalf("% x: %+v", b, r)
		}
	})
}
