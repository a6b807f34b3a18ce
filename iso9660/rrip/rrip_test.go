package rrip_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
)

// entries cuts encoded entries apart.
func entries(t testing.TB, b []byte) []susp.Entry {
	t.Helper()
	var list []susp.Entry
	for len(b) > 0 {
		e, rest, err := susp.Next(b)
		if err != nil || e == nil {
			t.Fatalf("% x is no entry: %v", b, err)
		}
		list = append(list, e)
		b = rest
	}
	return list
}

func TestEncodings(t *testing.T) {
	when := time.Date(2010, 11, 12, 13, 14, 15, 0, time.UTC)
	for _, tt := range []struct {
		clause string
		got    []byte
		want   []byte
	}{
		{
			"4.1.1 of 1.12", rrip.AppendPX(nil, rrip.PX{Mode: 0o100644, Links: 1, UID: 2, GID: 3, Serial: 4, HasSerial: true}),
			[]byte{
				'P', 'X', 44, 1, 0xA4, 0x81, 0, 0, 0, 0, 0x81, 0xA4, 1, 0, 0, 0, 0, 0, 0, 1,
				2, 0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 4,
			},
		},
		{
			"4.1.1 of 1.10", rrip.AppendPX(nil, rrip.PX{Mode: 0o100644, Links: 1, UID: 2, GID: 3}),
			[]byte{
				'P', 'X', 36, 1, 0xA4, 0x81, 0, 0, 0, 0, 0x81, 0xA4, 1, 0, 0, 0, 0, 0, 0, 1,
				2, 0, 0, 0, 0, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 3,
			},
		},
		{
			"4.1.4", rrip.AppendNM(nil, "name"),
			[]byte{'N', 'M', 9, 1, 0, 'n', 'a', 'm', 'e'},
		},
		{
			"4.1.3", rrip.AppendSL(nil, "/usr/../x/."),
			[]byte{'S', 'L', 19, 1, 0, 8, 0, 0, 3, 'u', 's', 'r', 4, 0, 0, 1, 'x', 2, 0},
		},
		{
			"4.1.5.1", rrip.AppendCL(nil, 0x0102),
			[]byte{'C', 'L', 12, 1, 2, 1, 0, 0, 0, 0, 1, 2},
		},
		{
			"4.1.5.2", rrip.AppendPL(nil, 0x0102),
			[]byte{'P', 'L', 12, 1, 2, 1, 0, 0, 0, 0, 1, 2},
		},
		{"4.1.5.3", rrip.AppendRE(nil), []byte{'R', 'E', 4, 1}},
		{
			"4.1.6", rrip.AppendTF(nil, when, when.Add(time.Second), when.Add(time.Minute)),
			[]byte{
				'T', 'F', 26, 1, 0x0E, 110, 11, 12, 13, 14, 15, 0, 110, 11, 12, 13, 14, 16, 0, 110, 11, 12, 13, 15, 15, 0,
			},
		},
		{
			"4.1.7", rrip.AppendSF(nil, rrip.SF{Size: 1<<32 + 2, Depth: 3}),
			[]byte{'S', 'F', 21, 1, 1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 2, 3},
		},
	} {
		if !bytes.Equal(tt.got, tt.want) {
			t.Errorf("%s: % x\nwant % x", tt.clause, tt.got, tt.want)
		}
	}
	if n := len(rrip.AppendTF(nil, when, when, when)); n != rrip.SizeTF {
		t.Errorf("TF has %d bytes, SizeTF is %d", n, rrip.SizeTF)
	}
}

func TestPX(t *testing.T) {
	for _, want := range []rrip.PX{
		{Mode: 0o120777, Links: 1, UID: 1<<32 - 1, GID: 1 << 31},
		{Mode: 0o040755, Links: 70000, Serial: 1<<32 - 1, HasSerial: true},
	} {
		if got, ok := rrip.ParsePX(rrip.AppendPX(nil, want)); !ok || got != want {
			t.Errorf("%+v, %v, want %+v", got, ok, want)
		}
	}
	if _, ok := rrip.ParsePX(rrip.AppendPX(nil, rrip.PX{})[:35]); ok {
		t.Error("a PX of 35 bytes is accepted")
	}
}

func TestPN(t *testing.T) {
	pn := func(high, low uint32) susp.Entry {
		b := susp.Header(nil, rrip.SignaturePN, rrip.SizePN-susp.HeaderSize)
		return iso9660.AppendBoth32(iso9660.AppendBoth32(b, high), low)
	}
	for _, tt := range []struct {
		producer     string
		e            susp.Entry
		major, minor uint32
	}{
		{"libisofs, /dev/null", pn(0, 0x103), 1, 3},
		{"mkisofs, /dev/null", pn(1, 3), 1, 3},
		{"libisofs, minor number of 20 bits", pn(0, 8<<8|0x34|0x12<<20), 8, 0x1234},
		{"mkisofs, large numbers", pn(300, 70000), 300, 70000},
		{"either, 0:0", pn(0, 0), 0, 0},
		{"either, 0:5", pn(0, 5), 0, 5},
	} {
		if major, minor, ok := rrip.ParsePN(tt.e); !ok || major != tt.major || minor != tt.minor {
			t.Errorf("%s: %d:%d, want %d:%d", tt.producer, major, minor, tt.major, tt.minor)
		}
	}
	for _, number := range [][2]uint32{{1, 3}, {8, 1}, {4095, 255}, {4096, 0}, {8, 256}, {300, 70000}, {0, 0}, {0, 255}, {0, 70000}, {1<<32 - 1, 1<<32 - 1}} {
		e := susp.Entry(rrip.AppendPN(nil, number[0], number[1]))
		if major, minor, ok := rrip.ParsePN(e); !ok || major != number[0] || minor != number[1] {
			t.Errorf("%v is read as %d:%d", number, major, minor)
		}
	}
	if got, want := susp.Entry(rrip.AppendPN(nil, 8, 1)), pn(0, 0x801); !bytes.Equal(got, want) {
		t.Errorf("8:1 is % x, want % x, which libisofs, libarchive and Linux read alike", got, want)
	}
}

func TestTimes(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2000, 1, n, 0, 0, 0, 0, time.UTC) }
	tf := func(flags byte, dates ...[]byte) susp.Entry {
		data := slices.Concat(dates...)
		return append(append(susp.Header(nil, rrip.SignatureTF, 1+len(data)), flags), data...)
	}
	short := func(n int) []byte { return iso9660.AppendDirectoryTime(nil, day(n)) }
	long := func(n int) []byte { return iso9660.AppendVolumeTime(nil, day(n)) }
	for _, tt := range []struct {
		name string
		e    susp.Entry
		want map[byte]time.Time
	}{
		{"three", tf(0x0E, short(1), short(2), short(3)), map[byte]time.Time{rrip.TimeModify: day(1), rrip.TimeAccess: day(2), rrip.TimeAttributes: day(3)}},
		{"all", tf(0x7F, short(1), short(2), short(3), short(4), short(5), short(6), short(7)), map[byte]time.Time{
			rrip.TimeCreation: day(1), rrip.TimeModify: day(2), rrip.TimeAccess: day(3), rrip.TimeAttributes: day(4),
			rrip.TimeBackup: day(5), rrip.TimeExpiration: day(6), rrip.TimeEffective: day(7),
		}},
		{"long form", tf(0x82, long(9)), map[byte]time.Time{rrip.TimeModify: day(9)}},
		{"first and last", tf(0x41, short(1), short(2)), map[byte]time.Time{rrip.TimeCreation: day(1), rrip.TimeEffective: day(2)}},
		{"none", tf(0), nil},
		{"not recorded", tf(0x02, make([]byte, 7)), nil},
		{"no date", tf(0x02, []byte("no date")), nil},
	} {
		view, ok := rrip.ParseTF(tt.e)
		if !ok {
			t.Errorf("%s: not accepted", tt.name)
			continue
		}
		for which := byte(1); which < 0x80; which <<= 1 {
			got, ok := view.Time(which)
			want, recorded := tt.want[which]
			if ok != recorded || !got.Equal(want) {
				t.Errorf("%s: time %#x is %v, %v; want %v", tt.name, which, got, ok, want)
			}
		}
	}
	if _, ok := rrip.ParseTF(tf(0x0E, short(1), short(2))); ok {
		t.Error("a TF with two dates of three is accepted")
	}
	if _, ok := rrip.ParseTF(tf(0x82, short(1))); ok {
		t.Error("a TF with a short date in the long form is accepted")
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{
		"", "a", strings.Repeat("b", 249), strings.Repeat("c", 250), strings.Repeat("d", 251), strings.Repeat("e", 255),
		strings.Repeat("f", 500), strings.Repeat("g", 501), "\xff\xfe", "grüße", "…",
	} {
		b := rrip.AppendNM(nil, name)
		if len(b) != rrip.SizeNM(len(name)) {
			t.Errorf("%d bytes: encoded in %d, SizeNM says %d", len(name), len(b), rrip.SizeNM(len(name)))
		}
		var d rrip.NameDecoder
		for _, e := range entries(t, b) {
			d.Add(e)
		}
		if string(d.Name()) != name {
			t.Errorf("%q is %q", name, d.Name())
		}
	}
	parts := slices.Concat(rrip.AppendNMPart(nil, "in ", true), rrip.AppendNMPart(nil, "parts", false), rrip.AppendNM(nil, "ignored"))
	var d rrip.NameDecoder
	for _, e := range entries(t, parts) {
		d.Add(e)
	}
	if string(d.Name()) != "in parts" {
		t.Errorf("parts are %q", d.Name())
	}
	for flags, want := range map[byte]string{2: ".", 4: ".."} {
		d.Reset()
		d.Add([]byte{'N', 'M', 6, 1, flags, 'x'})
		if string(d.Name()) != want {
			t.Errorf("flags %d: %q", flags, d.Name())
		}
	}
}

var targets = []string{
	"", "a", "/", "//", "///", "/a", "//a", "a/", "a//", "a//b", "a/b/c", ".", "..", "./", "../", "/.", "/..", "../../x", "...",
	"a/./b/../c", "\xff\xfe/x", strings.Repeat("a", 247), strings.Repeat("b", 248), strings.Repeat("c", 249),
	strings.Repeat("d", 255), strings.Repeat("e", 1000), strings.Repeat("f/", 2047), strings.Repeat("g", 248) + "/h",
	strings.Repeat("i", 246) + "/" + strings.Repeat("j", 246) + "/k", strings.Repeat("../", 1365), strings.Repeat("/", 300),
	"/" + strings.Repeat(strings.Repeat("x", 255)+"/", 15) + strings.Repeat("y", 254),
}

func decodeTarget(t testing.TB, b []byte) string {
	t.Helper()
	var d rrip.TargetDecoder
	for i, e := range entries(t, b) {
		if last := len(b) == 0; last {
			t.Fatal("nothing")
		}
		if err := d.Add(e); err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
	return string(d.Target())
}

// linuxTarget decodes as fs/isofs/rock.c does, by its rules alone: after a component
// that is neither the last one nor continued nor the root comes a slash.
func linuxTarget(t testing.TB, b []byte) string {
	t.Helper()
	var out []byte
	for _, e := range entries(t, b) {
		more := e[4]&1 != 0
		for c := e[5:]; len(c) >= 2; {
			flags, text := c[0], c[2:2+int(c[1])]
			c = c[2+int(c[1]):]
			switch flags &^ 1 {
			case 0:
				out = append(out, text...)
			case 2:
				out = append(out, '.')
			case 4:
				out = append(out, ".."...)
			case 8:
				out = append(out, '/')
			default:
				t.Fatalf("component flags %#x", flags)
			}
			if (len(c) >= 2 || more) && flags&(8|1) == 0 {
				out = append(out, '/')
			}
		}
	}
	return string(out)
}

func TestTargets(t *testing.T) {
	for _, target := range targets {
		b := rrip.AppendSL(nil, target)
		if got := decodeTarget(t, b); got != target {
			t.Errorf("%.60q is %.60q", target, got)
		}
		if got := linuxTarget(t, b); got != target {
			t.Errorf("%.60q is %.60q for Linux", target, got)
		}
		list := entries(t, b)
		for i, e := range list {
			if more := e[4] == 1; more != (i < len(list)-1) {
				t.Errorf("%.60q: flags of entry %d of %d are %d", target, i, len(list), e[4])
			}
		}
	}
}

func TestTargetsOfOthers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		reason string
		b      []byte
		want   string
	}{
		{
			name: "component over two entries", reason: "continued, so no slash",
			b: []byte{'S', 'L', 9, 1, 1, 1, 2, 'a', 'b', 'S', 'L', 8, 1, 0, 0, 1, 'c'}, want: "abc",
		},
		{
			name: "components in two entries", reason: "a slash between them",
			b: []byte{'S', 'L', 8, 1, 1, 0, 1, 'a', 'S', 'L', 8, 1, 0, 0, 1, 'b'}, want: "a/b",
		},
		{
			name: "root in the middle", reason: "how libisofs records doubled slashes",
			b: []byte{'S', 'L', 13, 1, 0, 0, 1, 'a', 8, 0, 0, 1, 'b'}, want: "a//b",
		},
		{
			name: "entry behind the last", reason: "the target has ended",
			b: []byte{'S', 'L', 8, 1, 0, 0, 1, 'a', 'S', 'L', 8, 1, 0, 0, 1, 'b'}, want: "a",
		},
	} {
		if got := decodeTarget(t, tt.b); got != tt.want {
			t.Errorf("%s: %q, want %q (%s)", tt.name, got, tt.want, tt.reason)
		}
	}
	var d rrip.TargetDecoder
	if err := d.Add([]byte{'S', 'L', 8, 1, 0, 0, 9, 'a'}); !errors.Is(err, iso9660.ErrTruncated) {
		t.Errorf("component beyond its entry: %v", err)
	}
}

func TestExtension(t *testing.T) {
	for _, er := range []susp.ER{rrip.ER1991(), rrip.ER1282()} {
		if !rrip.IsRockRidge(er.Identifier) || er.Size() > susp.MaxEntrySize {
			t.Errorf("%+v", er)
		}
	}
	// The lengths that the standards give for their own texts (4.3).
	if er := rrip.ER1991(); len(er.Identifier) != 10 || len(er.Descriptor) != 84 || len(er.Source) != 135 {
		t.Errorf("1.10: %d, %d, %d", len(er.Identifier), len(er.Descriptor), len(er.Source))
	}
	if er := rrip.ER1282(); len(er.Identifier) != 9 || len(er.Descriptor) != 72 || len(er.Source) != 93 {
		t.Errorf("1.12: %d, %d, %d", len(er.Identifier), len(er.Descriptor), len(er.Source))
	}
	if rrip.IsRockRidge("AAIP_0200") {
		t.Error("AAIP is taken for Rock Ridge")
	}
}

func TestLocation(t *testing.T) {
	if lba, ok := rrip.ParseLocation(rrip.AppendCL(nil, 77)); !ok || lba != 77 {
		t.Errorf("CL: %d, %v", lba, ok)
	}
	if lba, ok := rrip.ParseLocation(rrip.AppendPL(nil, 78)); !ok || lba != 78 {
		t.Errorf("PL: %d, %v", lba, ok)
	}
	if _, ok := rrip.ParseLocation(rrip.AppendRE(nil)); ok {
		t.Error("RE has a location")
	}
	if sf, ok := rrip.ParseSF(rrip.AppendSF(nil, rrip.SF{Size: 1 << 40, Depth: 2})); !ok || sf.Size != 1<<40 || sf.Depth != 2 {
		t.Errorf("SF of 1.12: %+v, %v", sf, ok)
	}
	if sf, ok := rrip.ParseSF([]byte{'S', 'F', 12, 1, 9, 0, 0, 0, 0, 0, 0, 9}); !ok || sf.Size != 9 {
		t.Errorf("SF of 1.10: %+v, %v", sf, ok)
	}
}

func FuzzEntries(f *testing.F) {
	fixture.Seed(f, func(r *fixture.Raw) [][]byte { return r.SystemUse })
	f.Add(rrip.AppendPX(nil, rrip.PX{HasSerial: true}))
	f.Add(rrip.AppendPN(nil, 8, 1))
	f.Add(rrip.AppendNM(nil, "name"))
	f.Add(rrip.AppendSL(nil, "/a/../b"))
	f.Add(rrip.AppendTF(nil, time.Unix(0, 0), time.Unix(0, 0), time.Unix(0, 0)))
	f.Add(rrip.AppendSF(nil, rrip.SF{}))
	f.Add(rrip.AppendCL(nil, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		var name rrip.NameDecoder
		var target rrip.TargetDecoder
		for len(b) > 0 {
			e, rest, err := susp.Next(b)
			if err != nil || e == nil {
				return
			}
			b = rest
			if px, ok := rrip.ParsePX(e); ok {
				if again, ok := rrip.ParsePX(rrip.AppendPX(nil, px)); !ok || again != px {
					t.Errorf("%+v is again %+v", px, again)
				}
			}
			if major, minor, ok := rrip.ParsePN(e); ok {
				if a, i, ok := rrip.ParsePN(rrip.AppendPN(nil, major, minor)); !ok || a != major || i != minor {
					t.Errorf("%d:%d is again %d:%d", major, minor, a, i)
				}
			}
			if tf, ok := rrip.ParseTF(e); ok {
				for which := byte(1); which < 0x80; which <<= 1 {
					_, _ = tf.Time(which)
				}
			}
			_, _ = rrip.ParseLocation(e)
			_, _ = rrip.ParseSF(e)
			name.Add(e)
			_ = target.Add(e)
		}
		again := decodeTarget(t, rrip.AppendSL(nil, string(target.Target())))
		if again != string(target.Target()) {
			t.Errorf("target %q is again %q", target.Target(), again)
		}
	})
}

func FuzzTarget(f *testing.F) {
	for _, target := range targets {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		b := rrip.AppendSL(nil, target)
		if got := decodeTarget(t, b); got != target {
			t.Errorf("%q is %q", target, got)
		}
		if got := linuxTarget(t, b); got != target {
			t.Errorf("%q is %q for Linux", target, got)
		}
	})
}
