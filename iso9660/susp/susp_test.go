package susp_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/susp"
)

func TestEncodings(t *testing.T) {
	for _, tt := range []struct {
		clause string
		got    []byte
		want   []byte
	}{
		{
			"5.1", susp.AppendCE(nil, susp.CE{LBA: 0x01020304, Offset: 0x0506, Length: 7}),
			[]byte{'C', 'E', 28, 1, 4, 3, 2, 1, 1, 2, 3, 4, 6, 5, 0, 0, 0, 0, 5, 6, 7, 0, 0, 0, 0, 0, 0, 7},
		},
		{"5.2", susp.AppendPD(nil, 6), []byte{'P', 'D', 6, 1, 0, 0}},
		{"5.3", susp.AppendSP(nil, 14), []byte{'S', 'P', 7, 1, 0xBE, 0xEF, 14}},
		{"5.4", susp.AppendST(nil), []byte{'S', 'T', 4, 1}},
		{
			"5.5", susp.AppendER(nil, susp.ER{Version: 3, Identifier: "ID", Descriptor: "TEXT", Source: "S"}),
			[]byte{'E', 'R', 15, 1, 2, 4, 1, 3, 'I', 'D', 'T', 'E', 'X', 'T', 'S'},
		},
		{"5.6", susp.AppendES(nil, 1), []byte{'E', 'S', 5, 1, 1}},
	} {
		if !bytes.Equal(tt.got, tt.want) {
			t.Errorf("%s: % x, want % x", tt.clause, tt.got, tt.want)
		}
	}
	if ce, ok := susp.ParseCE(susp.AppendCE(nil, susp.CE{LBA: 1, Offset: 2, Length: 3})); !ok || ce != (susp.CE{LBA: 1, Offset: 2, Length: 3}) {
		t.Errorf("CE: %v, %v", ce, ok)
	}
	want := susp.ER{Version: 1, Identifier: "A", Descriptor: "BB", Source: "CCC"}
	if er, ok := susp.ParseER(susp.AppendER(nil, want)); !ok || er != want || want.Size() != 14 {
		t.Errorf("ER: %v, %v", er, ok)
	}
	if n, ok := susp.ParseES(susp.AppendES(nil, 2)); !ok || n != 2 {
		t.Errorf("ES: %d, %v", n, ok)
	}
	if s := susp.SignatureCE.String(); s != "CE" {
		t.Errorf("signature %q", s)
	}
}

func TestParsersRefuse(t *testing.T) {
	for name, parse := range map[string]func(susp.Entry) bool{
		"CE": func(e susp.Entry) bool { _, ok := susp.ParseCE(e); return ok },
		"ER": func(e susp.Entry) bool { _, ok := susp.ParseER(e); return ok },
		"ES": func(e susp.Entry) bool { _, ok := susp.ParseES(e); return ok },
	} {
		whole := map[string][]byte{
			"CE": susp.AppendCE(nil, susp.CE{}),
			"ER": susp.AppendER(nil, susp.ER{Identifier: "I", Descriptor: "D", Source: "S"}),
			"ES": susp.AppendES(nil, 0),
		}
		for other, e := range whole {
			if parse(e) != (other == name) {
				t.Errorf("%s accepts %s: %v", name, other, parse(e))
			}
		}
		for n := susp.HeaderSize; n < len(whole[name]); n++ {
			if parse(whole[name][:n]) {
				t.Errorf("%s of %d bytes is accepted", name, n)
			}
		}
	}
}

func TestFindSP(t *testing.T) {
	sp := susp.AppendSP(nil, 0)
	xa := append(make([]byte, 14), susp.AppendSP(nil, 14)...)
	for _, tt := range []struct {
		name     string
		area     []byte
		at, skip int
		ok       bool
	}{
		{"at the beginning", sp, 0, 0, true},
		{"behind CD-ROM XA", xa, 14, 14, true},
		{"wrong check bytes", []byte{'S', 'P', 7, 1, 0xBE, 0xEE, 0}, 0, 0, false},
		{"another entry first", append([]byte{'P', 'X', 4, 1}, sp...), 0, 0, false},
		{"nothing", nil, 0, 0, false},
		{"cut off", sp[:6], 0, 0, false},
	} {
		at, skip, ok := susp.FindSP(tt.area)
		if at != tt.at || skip != tt.skip || ok != tt.ok {
			t.Errorf("%s: %d, %d, %v", tt.name, at, skip, ok)
		}
	}
}

func TestFit(t *testing.T) {
	entries := slices.Concat(susp.AppendPD(nil, 10), susp.AppendPD(nil, 20), susp.AppendPD(nil, 5))
	for room, want := range map[int]int{0: 0, 9: 0, 10: 10, 29: 10, 30: 30, 34: 30, 35: 35, 1000: 35} {
		if got := susp.Fit(entries, room); got != want {
			t.Errorf("%d bytes hold %d, want %d", room, got, want)
		}
	}
	if got := susp.Fit([]byte{'X', 'X', 0, 1}, 100); got != 0 {
		t.Errorf("an entry without length fits into %d", got)
	}
}

// areas are Continuation Areas by their block.
type areas map[uint32][]byte

var errMissing = errors.New("no such area")

func (a areas) ReadContinuation(_ context.Context, ce susp.CE) ([]byte, error) {
	b, ok := a[ce.LBA]
	if !ok {
		return nil, errMissing
	}
	return b, nil
}

func entry(name string) []byte { return []byte{name[0], name[1], 5, 1, 0} }

func ce(lba uint32) []byte { return susp.AppendCE(nil, susp.CE{LBA: lba, Length: 100}) }

func TestWalk(t *testing.T) {
	ring := make(areas)
	for i := range uint32(100) {
		ring[i] = ce((i + 1) % 100)
	}
	lasso := areas{1: ce(2), 2: ce(3), 3: slices.Concat(entry("ZZ"), ce(2))}
	chain := make(areas)
	for i := range uint32(1000) {
		chain[i] = ce(i + 1)
	}
	chain[1000] = entry("LL")
	for _, tt := range []struct {
		name   string
		reason string
		area   []byte
		areas  areas
		want   []string
		err    error
	}{
		{name: "nothing"},
		{name: "entries", area: slices.Concat(entry("AA"), entry("BB")), want: []string{"AA", "BB"}},
		{name: "zeros behind", reason: "how many producers pad", area: append(entry("AA"), make([]byte, 20)...), want: []string{"AA"}},
		{name: "three bytes behind", reason: "too short for an entry (4.1)", area: append(entry("AA"), "xyz"...), want: []string{"AA"}},
		{name: "ST", reason: "ends the area (5.4)", area: slices.Concat(entry("AA"), susp.AppendST(nil), entry("BB")), want: []string{"AA"}},
		{name: "PD", reason: "says nothing", area: slices.Concat(entry("AA"), susp.AppendPD(nil, 9), entry("BB")), want: []string{"AA", "BB"}},
		{
			name: "CE first", reason: "takes effect when its area is through",
			area: slices.Concat(ce(7), entry("AA")), areas: areas{7: entry("BB")}, want: []string{"AA", "BB"},
		},
		{
			name: "CE before ST", reason: "ST ends the area, not what CE leads to",
			area: slices.Concat(ce(7), susp.AppendST(nil)), areas: areas{7: entry("BB")}, want: []string{"BB"},
		},
		{name: "chain", reason: "long but no circle", area: ce(0), areas: chain, want: []string{"LL"}},
		{name: "empty CE", reason: "nothing to read", area: slices.Concat(entry("AA"), susp.AppendCE(nil, susp.CE{LBA: 9})), want: []string{"AA"}},
		{name: "ring", area: ce(0), areas: ring, err: iso9660.ErrLoop},
		{name: "lasso", reason: "the circle does not contain its beginning", area: ce(1), areas: lasso, err: iso9660.ErrLoop},
		{name: "missing", reason: "the reader's error", area: slices.Concat(entry("AA"), ce(5)), want: []string{"AA"}, err: errMissing},
		{name: "too much", area: susp.AppendCE(nil, susp.CE{LBA: 1, Length: susp.MaxSystemUse + 1}), err: iso9660.ErrTooMuch},
		{name: "short CE", area: []byte{'C', 'E', 10, 1, 0, 0, 0, 0, 0, 0}, err: iso9660.ErrLength},
		{name: "LEN of 3", area: []byte{'A', 'A', 3, 1}, err: iso9660.ErrLength},
		{name: "LEN beyond", area: []byte{'A', 'A', 6, 1, 0}, err: iso9660.ErrTruncated},
	} {
		var got []string
		var err error
		for e, failure := range susp.Walk(t.Context(), tt.area, tt.areas) {
			if failure != nil {
				err = failure
				continue
			}
			// A lasso yields its entries until the circle is noticed.
			if name := e.Signature().String(); name != "ZZ" {
				got = append(got, name)
			}
		}
		if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
			t.Errorf("%s: %q, %v; want %q, %v (%s)", tt.name, got, err, tt.want, tt.err, tt.reason)
		}
	}
}

func TestWalkStops(t *testing.T) {
	n := 0
	for range susp.Walk(t.Context(), slices.Concat(entry("AA"), entry("BB")), nil) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d entries after break", n)
	}
}

// mirror takes any bytes for Continuation Areas: a hostile disc.
type mirror []byte

func (m mirror) ReadContinuation(_ context.Context, ce susp.CE) ([]byte, error) {
	from := min(int64(ce.LBA%16)*64+int64(ce.Offset%64), int64(len(m)))
	return m[from:min(from+int64(ce.Length), int64(len(m)))], nil
}

func FuzzWalk(f *testing.F) {
	fixture.Seed(f, func(r *fixture.Raw) [][]byte { return r.SystemUse })
	f.Add(slices.Concat(susp.AppendSP(nil, 0), entry("AA"), susp.AppendCE(nil, susp.CE{LBA: 1, Length: 64}), make([]byte, 24), entry("BB")))
	f.Add(slices.Concat(ce(0), ce(1), ce(2)))
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		for e, err := range susp.Walk(t.Context(), b, mirror(b)) {
			if err != nil {
				continue
			}
			if len(e) < susp.HeaderSize || len(e) != int(e[2]) || len(e.Data()) != len(e)-susp.HeaderSize {
				t.Fatalf("entry % x", e)
			}
			total += len(e)
			_, _ = susp.ParseER(e)
			_, _ = susp.ParseES(e)
		}
		if total > susp.MaxSystemUse+len(b) {
			t.Errorf("%d bytes of entries", total)
		}
		if n := susp.Fit(b, 200); n > 200 {
			t.Errorf("%d bytes fit into 200", n)
		}
	})
}
