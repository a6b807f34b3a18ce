package aaip_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/fixture"
	"burnfs/iso9660/susp"
)

func decode(t testing.TB, b []byte) ([]aaip.Attr, error) {
	t.Helper()
	var d aaip.Decoder
	for len(b) > 0 {
		e, rest, err := susp.Next(b)
		if err != nil || e == nil {
			t.Fatalf("% x is no entry: %v", b, err)
		}
		d.Add(e)
		b = rest
	}
	return d.Attrs()
}

func equal(a, b []aaip.Attr) bool {
	return slices.EqualFunc(a, b, func(a, b aaip.Attr) bool { return a.Name == b.Name && bytes.Equal(a.Value, b.Value) })
}

// acl makes a list in the form of Linux of triples of tag, permissions, id.
func acl(entries ...[3]uint32) []byte {
	b := []byte{2, 0, 0, 0}
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint16(b, uint16(e[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(e[1]))
		b = binary.LittleEndian.AppendUint32(b, e[2])
	}
	return b
}

const noID = 1<<32 - 1

// TestExamples decodes the examples of doc/susp_aaip_2_0.txt.
func TestExamples(t *testing.T) {
	content := "long" + strings.Repeat("x", 256) + "content"
	al := func(flags byte, data ...byte) []byte {
		return append([]byte{'A', 'L', byte(5 + len(data)), 1, flags}, data...)
	}
	for _, tt := range []struct {
		name   string
		reason string
		b      []byte
		want   []aaip.Attr
	}{
		{
			name: "two pairs", reason: "a component record may go on in the next entry",
			b: slices.Concat(
				al(1, slices.Concat([]byte{0, 4}, []byte("name"), []byte{1, 255}, []byte(content[:242]))...),
				al(0, slices.Concat([]byte(content[242:255]), []byte{0, byte(len(content) - 255)}, []byte(content[255:]), []byte{0, 3}, []byte("one"), []byte{0, 4}, []byte("more"))...),
			),
			want: []aaip.Attr{{Name: "name", Value: []byte(content)}, {Name: "one", Value: []byte("more")}},
		},
		{
			name: "namespaces", reason: "\"user.abc\" with and without short notation, and a name that begins with its byte",
			b:    al(0, slices.Concat([]byte{0, 4, 3, 'a', 'b', 'c', 0, 1, '1'}, []byte{0, 8}, []byte("user.abc"), []byte{0, 1, '2'}, []byte{0, 5, 1, 3, 'a', 'b', 'c', 0, 1, '3'})...),
			want: []aaip.Attr{{Name: "user.abc", Value: []byte("1")}, {Name: "user.abc", Value: []byte("2")}, {Name: "\x03abc", Value: []byte("3")}},
		},
		{
			name: "list", reason: "u::rw-,u:lisa:rw-,g::r--,g:toolies:rw-,m::r--,o::r-- in the order of the text",
			b: al(0, 0, 0, 0, 11, 0x16, 0xAE, 1, 123, 0x34, 0xCE, 2, 255, 254, 0x54, 0x64),
			want: []aaip.Attr{{Name: aaip.NameACLAccess, Value: acl(
				[3]uint32{1, 6, noID}, [3]uint32{2, 6, 123}, [3]uint32{4, 4, noID}, [3]uint32{8, 6, 65534}, [3]uint32{16, 4, noID}, [3]uint32{32, 4, noID},
			)}},
		},
		{
			name: "access and default list", reason: "the access list says no more than the mode; the default one has its user behind",
			b: al(0, 0, 0, 0, 11, 0x17, 0x35, 0x65, 0x81, 0x17, 0x35, 0x57, 0x65, 0xAF, 1, 123),
			want: []aaip.Attr{{Name: aaip.NameACLDefault, Value: acl(
				[3]uint32{1, 7, noID}, [3]uint32{2, 7, 123}, [3]uint32{4, 5, noID}, [3]uint32{16, 7, noID}, [3]uint32{32, 5, noID},
			)}},
		},
		{
			name: "names of ids", reason: "TRANSLATE is no entry of the list",
			b: al(0, slices.Concat([]byte{0, 0, 0, 23}, []byte{0x08, 13, 0, 123, 0, 0, 0, 0, 0, 0, 123, 'l', 'i', 's', 'a'}, []byte{0x16, 0xAE, 1, 1, 0x34, 0x54, 0x64, 0})...),
			want: []aaip.Attr{{Name: aaip.NameACLAccess, Value: acl(
				[3]uint32{1, 6, noID}, [3]uint32{2, 6, 1}, [3]uint32{4, 4, noID}, [3]uint32{16, 4, noID}, [3]uint32{32, 4, noID},
			)}},
		},
		{
			name: "list of a future version", reason: "it is left out, what follows is not",
			b:    al(0, 0, 0, 0, 1, 0xF0, 0, 1, 'n', 0, 1, 'v'),
			want: []aaip.Attr{{Name: "n", Value: []byte("v")}},
		},
		{
			name: "list also as an attribute", reason: "xorriso -xattr any records it twice",
			b: al(0, slices.Concat([]byte{0, 17, 2}, []byte("posix_acl_access"), []byte{0, 1, 'x'}, []byte{0, 0, 0, 7, 0x16, 0xAE, 1, 1, 0x34, 0x54, 0x64})...),
			want: []aaip.Attr{{Name: aaip.NameACLAccess, Value: acl(
				[3]uint32{1, 6, noID}, [3]uint32{2, 6, 1}, [3]uint32{4, 4, noID}, [3]uint32{16, 4, noID}, [3]uint32{32, 4, noID},
			)}},
		},
		{name: "name with a zero byte", reason: "Linux cannot name it", b: al(0, 0, 3, 'a', 0, 'b', 0, 0), want: nil},
		{name: "nothing", b: nil, want: nil},
	} {
		got, err := decode(t, tt.b)
		if err != nil || !equal(got, tt.want) {
			t.Errorf("%s: %v, %v; want %v (%s)", tt.name, got, err, tt.want, tt.reason)
		}
	}
}

func TestBroken(t *testing.T) {
	good := aaip.AppendAL(nil, []aaip.Attr{{Name: "user.a", Value: []byte("1")}, {Name: "user.b", Value: []byte("2")}})
	for n := 6; n < len(good); n++ {
		b := bytes.Clone(good[:n])
		b[2] = byte(n)
		got, err := decode(t, b)
		whole := n == 5+7 // exactly the first pair
		if whole != (err == nil) || err != nil && !errors.Is(err, iso9660.ErrTruncated) {
			t.Errorf("%d of %d bytes: %v, %v", n, len(good), got, err)
		}
		if n >= 5+7 && (len(got) != 1 || got[0].Name != "user.a") {
			t.Errorf("%d of %d bytes: %v", n, len(good), got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	list := acl([3]uint32{1, 7, noID}, [3]uint32{2, 6, 0}, [3]uint32{2, 5, 70000}, [3]uint32{4, 4, noID}, [3]uint32{8, 3, 1<<32 - 2}, [3]uint32{16, 7, noID}, [3]uint32{32, 1, noID})
	initial := acl([3]uint32{1, 7, noID}, [3]uint32{4, 5, noID}, [3]uint32{32, 0, noID})
	for _, tt := range []struct {
		name  string
		attrs []aaip.Attr
	}{
		{"none", nil},
		{"every namespace", []aaip.Attr{
			{"user.a", []byte("1")}, {"system.b", []byte("2")}, {"trusted.c", []byte("3")}, {"security.d", []byte("4")}, {"isofs.cx", []byte{0, 0, 0, 5}},
		}},
		{"no namespace", []aaip.Attr{{"plain", []byte("p")}, {"\x03escaped", []byte("e")}, {"\x01", []byte("one")}, {"\x7f", nil}}},
		{"only the prefix", []aaip.Attr{{"user.", []byte("v")}}},
		{"empty value", []aaip.Attr{{"user.e", []byte{}}}},
		{"binary value", []aaip.Attr{{"user.z", []byte{0, 1, 255, 0}}}},
		{"long name", []aaip.Attr{{"user." + strings.Repeat("n", 250), []byte("v")}}},
		{"very long name", []aaip.Attr{{"user." + strings.Repeat("n", 255), []byte("v")}, {strings.Repeat("m", 600), nil}}},
		{"64 KiB", []aaip.Attr{{"user.l", bytes.Repeat([]byte("0123456789abcdef"), 4096)}}},
		{"both lists", []aaip.Attr{{"user.a", nil}, {aaip.NameACLAccess, list}, {aaip.NameACLDefault, initial}}},
		{"access list", []aaip.Attr{{aaip.NameACLAccess, list}}},
		{"default list", []aaip.Attr{{aaip.NameACLDefault, initial}}},
		{"list that is none", []aaip.Attr{{aaip.NameACLAccess, []byte("noise")}}},
		{"list of another version", []aaip.Attr{{aaip.NameACLAccess, []byte{3, 0, 0, 0}}}},
		{"list with a tag unknown", []aaip.Attr{{aaip.NameACLDefault, acl([3]uint32{64, 7, 0})}}},
	} {
		b := aaip.AppendAL(nil, tt.attrs)
		got, err := decode(t, b)
		if err != nil || !equal(got, tt.attrs) {
			t.Errorf("%s: %.200v, %v", tt.name, got, err)
		}
		for at := 0; at < len(b); {
			size, more := int(b[at+2]), b[at+4] == 1
			if more != (at+size < len(b)) || more && size != susp.MaxEntrySize {
				t.Errorf("%s: entry at %d has %d bytes, continued %v", tt.name, at, size, more)
			}
			at += size
		}
	}
}

// TestAsLibisofs compares with what libisofs 1.5.4 recorded of two files, without
// its own notes.
func TestAsLibisofs(t *testing.T) {
	for _, tt := range []struct {
		attrs []aaip.Attr
		want  string
	}{
		{
			attrs: []aaip.Attr{
				{"user.abc", []byte("xyz")},
				{aaip.NameACLAccess, acl([3]uint32{1, 6, noID}, [3]uint32{2, 6, 123}, [3]uint32{4, 4, noID}, [3]uint32{16, 6, noID}, [3]uint32{32, 4, noID})},
			},
			want: "AL\x1b\x01\x00\x00\x04\x03abc\x00\x03xyz\x00\x00\x00\x07\x16\xae\x01{4Vd",
		},
		{
			attrs: []aaip.Attr{
				{aaip.NameACLDefault, acl([3]uint32{1, 7, noID}, [3]uint32{2, 7, 124}, [3]uint32{4, 5, noID}, [3]uint32{16, 7, noID}, [3]uint32{32, 5, noID})},
			},
			want: "AL\x11\x01\x00\x00\x00\x00\x08\x81\x17\xaf\x01|5We",
		},
	} {
		if got := string(aaip.AppendAL(nil, tt.attrs)); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	// The lengths that the document gives.
	if er := aaip.ER(); len(er.Identifier) != 9 || len(er.Descriptor) != 81 || len(er.Source) != 62 {
		t.Errorf("ER: %d, %d, %d", len(er.Identifier), len(er.Descriptor), len(er.Source))
	}
}

func FuzzDecode(f *testing.F) {
	fixture.Seed(f, func(r *fixture.Raw) [][]byte { return r.SystemUse })
	f.Add(aaip.AppendAL(nil, []aaip.Attr{{"user.a", []byte("1")}, {aaip.NameACLAccess, acl([3]uint32{2, 7, 1})}}))
	f.Add([]byte("AL\x11\x01\x00\x00\x00\x00\x08\x81\x17\xaf\x01|5We"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d aaip.Decoder
		for len(b) > 0 {
			e, rest, err := susp.Next(b)
			if err != nil || e == nil {
				break
			}
			d.Add(e)
			b = rest
		}
		attrs, err := d.Attrs()
		if err != nil {
			return
		}
		// What is recorded twice as a list comes back as one.
		again, err := decode(t, aaip.AppendAL(nil, attrs))
		if err != nil {
			t.Fatalf("%q: %v", attrs, err)
		}
		third, err := decode(t, aaip.AppendAL(nil, again))
		if err != nil || !equal(again, third) {
			t.Errorf("%q is again %q, %v", again, third, err)
		}
	})
}
