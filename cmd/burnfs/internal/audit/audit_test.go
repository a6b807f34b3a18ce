package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/image"
	"burnfs/mmc"
	"burnfs/session/history"
)

// memory is a disc in memory with blocks that cannot be read.
type memory struct {
	b    []byte
	bad  map[uint32]bool
	read int64
	gone int64 // after so many bytes the drive does not answer any more; 0 for never
}

var (
	errBad  = mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyMediumError, 0x11, 0))
	errEnd  = mmc.NewSenseError(make([]byte, 10), mmc.NewSense(mmc.KeyIllegalRequest, 0x21, 0))
	errGone = &mmc.TransportError{CDB: make([]byte, 10), Gone: true}
)

func (m *memory) ReadBlocks(_ context.Context, lba uint32, p []byte) error {
	m.read += int64(len(p))
	if m.gone > 0 && m.read > m.gone {
		return errGone
	}
	for i := range len(p) / iso9660.BlockSize {
		if m.bad[lba+uint32(i)] {
			return errBad
		}
	}
	at := int(lba) * iso9660.BlockSize
	if at+len(p) > len(m.b) {
		return errEnd
	}
	copy(p, m.b[at:])
	return nil
}

// source is a flat tree: name → content; the pieces of old files are given.
type source struct {
	names   []string
	content map[string]string
	old     map[string]image.Node
}

func (s source) Root(context.Context) (image.Node, error) {
	return image.Node{ID: 1, Mode: 0o40755, Nlink: 2}, nil
}

func (s source) Children(context.Context, image.Node) iter.Seq2[image.Node, error] {
	return func(yield func(image.Node, error) bool) {
		for i, name := range s.names {
			n, ok := s.old[name]
			if !ok {
				n = image.Node{Mode: 0o100644, Nlink: 1, Handle: s.content[name]}
				if len(s.content[name]) > 0 {
					n.Pieces = []image.Piece{{Size: int64(len(s.content[name]))}}
				}
			}
			n.Name, n.ID = name, uint64(i+2)
			if !yield(n, nil) {
				return
			}
		}
	}
}

// add appends a session to the disc and returns where its files came to lie.
func (m *memory) add(t *testing.T, s source, checksums bool) (history.Session, map[string]image.Node) {
	t.Helper()
	start := uint32((len(m.b)/iso9660.BlockSize + 31) / 32 * 32)
	m.b = append(m.b, make([]byte, int(start)*iso9660.BlockSize-len(m.b))...)
	l, err := image.Plan(t.Context(), s, image.Options{Start: start, RockRidge: true, Joliet: true, Checksums: checksums, SHA256: checksums, VolumeID: "V", Now: time.Unix(1e9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := l.Write(t.Context(), &out, func(_ context.Context, f image.File) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(f.Handle.(string))), nil
	}); err != nil {
		t.Fatal(err)
	}
	m.b = append(m.b, out.Bytes()...)
	old := make(map[string]image.Node)
	for f, err := range l.Files(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n := image.Node{Mode: 0o100644, Nlink: 1}
		for _, sec := range f.New {
			n.Pieces = append(n.Pieces, image.Piece{Size: sec.Size, Old: true, LBA: sec.LBA})
		}
		old[strings.TrimPrefix(f.Path, "/")] = n
	}
	return history.Session{Number: 1, Start: start, Blocks: l.Blocks(), Readable: true}, old
}

// flip damages the disc where text stands for the first time behind block lba.
func (m *memory) flip(t *testing.T, lba uint32, text string) {
	t.Helper()
	at := bytes.Index(m.b[int(lba)*iso9660.BlockSize:], []byte(text))
	if at < 0 {
		t.Fatalf("%q is not on the disc", text)
	}
	m.b[int(lba)*iso9660.BlockSize+at] ^= 1
}

func audit(t *testing.T, m *memory, sessions ...history.Session) (Result, []string) {
	t.Helper()
	for i := range sessions {
		sessions[i].Number = i + 1
	}
	var found []string
	a := Auditor{Disc: m, Report: func(f Finding) { found = append(found, f.String()) }}
	res, err := a.Check(t.Context(), sessions)
	if err != nil {
		t.Fatal(err)
	}
	if res.Findings != len(found) {
		t.Errorf("%d findings counted, %d reported", res.Findings, len(found))
	}
	return res, found
}

func disc(t *testing.T) (*memory, history.Session, map[string]image.Node) {
	t.Helper()
	m := &memory{bad: make(map[uint32]bool)}
	big := strings.Repeat("0123456789abcdef", 100_000)
	s, old := m.add(t, source{
		names:   []string{"big", "empty", "mid", "small"},
		content: map[string]string{"big": big, "mid": "MIDDLE" + strings.Repeat("m", 5000), "small": "tiny text"},
	}, true)
	return m, s, old
}

func TestClean(t *testing.T) {
	m, s, _ := disc(t)
	res, found := audit(t, m, s)
	if len(found) != 0 || res.Sessions != 1 || res.Files != 4 || res.Dirs != 1 || res.MD5.NotRecorded != 0 {
		t.Errorf("%+v, %q", res, found)
	}
	if res.MD5.Match < 3 {
		t.Errorf("only %d files were compared", res.MD5.Match)
	}
	if m.read > int64(len(m.b))*5/4 {
		t.Errorf("%d bytes read of a disc of %d: something was read twice", m.read, len(m.b))
	}
}

func TestDamage(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, m *memory, s history.Session, old map[string]image.Node)
		want   []string // substrings, one per finding
	}{
		{"content", func(t *testing.T, m *memory, _ history.Session, _ map[string]image.Node) { m.flip(t, 0, "tiny text") },
			[]string{"the session differs", "its content differs from the recorded checksum: small"}},
		{"end of a large file", func(t *testing.T, m *memory, _ history.Session, old map[string]image.Node) {
			p := old["big"].Pieces[0]
			m.b[int64(p.LBA)*iso9660.BlockSize+p.Size-1] ^= 1
		}, []string{"the session differs", "recorded checksum: big"}},
		{"behind the end of a file", func(t *testing.T, m *memory, _ history.Session, old map[string]image.Node) {
			p := old["small"].Pieces[0]
			m.b[int64(p.LBA)*iso9660.BlockSize+p.Size] ^= 1
		}, []string{"the session differs"}},
		{"system area", func(_ *testing.T, m *memory, _ history.Session, _ map[string]image.Node) { m.b[100] ^= 1 },
			[]string{"the session differs"}},
		{"the array of checksums", func(_ *testing.T, m *memory, s history.Session, _ map[string]image.Node) {
			m.b[int(s.Start+s.Blocks-2)*iso9660.BlockSize+20] ^= 1
		}, []string{"checksums cannot be used"}},
		{"an unreadable block", func(_ *testing.T, m *memory, _ history.Session, old map[string]image.Node) {
			m.bad[old["mid"].Pieces[0].LBA+1] = true
		}, []string{"cannot be read: TEST UNIT READY: MEDIUM ERROR 3/11/00", "recorded checksum: mid"}},
		{"an unreadable directory", func(_ *testing.T, m *memory, s history.Session, _ map[string]image.Node) {
			m.bad[rootOf(m, s)] = true
		}, []string{"cannot be opened"}},
		{"an unreadable Joliet directory", func(_ *testing.T, m *memory, s history.Session, _ map[string]image.Node) {
			m.bad[jolietRoot(m, s)] = true
		}, []string{"3/11/00"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, s, old := disc(t)
			tt.damage(t, m, s, old)
			_, found := audit(t, m, s)
			if len(found) == 0 {
				t.Fatal("nothing was found")
			}
			for _, want := range tt.want {
				if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, want) }) {
					t.Errorf("found %q, want one with %q", found, want)
				}
			}
		})
	}
}

// rootOf reads the address of the root directory (ECMA-119 8.4.18, 9.1.3).
func rootOf(m *memory, s history.Session) uint32 { return rootIn(m, s.Start+16) }

// jolietRoot is the same of the second descriptor.
func jolietRoot(m *memory, s history.Session) uint32 { return rootIn(m, s.Start+17) }

func rootIn(m *memory, descriptor uint32) uint32 {
	at := int(descriptor)*iso9660.BlockSize + 156 + 2
	return uint32(m.b[at]) | uint32(m.b[at+1])<<8 | uint32(m.b[at+2])<<16 | uint32(m.b[at+3])<<24
}

// Sessions that name old files: read once, found wherever they are named.
func TestSeveralSessions(t *testing.T) {
	m, first, old := disc(t)
	content := map[string]string{"new": "BRAND NEW"}
	second, _ := m.add(t, source{names: []string{"big", "mid", "new", "small"}, content: content, old: old}, true)
	third, _ := m.add(t, source{names: []string{"big", "plain"}, content: map[string]string{"plain": "no sums"}, old: old}, false)
	res, found := audit(t, m, first, second, third)
	if len(found) != 0 || res.Sessions != 3 || res.Files != 10 || res.Dirs != 3 || res.MD5.NotRecorded == 0 {
		t.Errorf("%+v, %q", res, found)
	}
	if m.read > int64(len(m.b))*5/4 {
		t.Errorf("%d bytes read of a disc of %d: old files were read again", m.read, len(m.b))
	}
	m.bad[old["small"].Pieces[0].LBA] = true
	_, found = audit(t, m, first, second, third)
	text := strings.Join(found, "\n")
	if !strings.Contains(text, "session 1, ") || !strings.Contains(text, "session 2, ") || !strings.Contains(text, "small") || strings.Contains(text, "session 3") {
		t.Errorf("found:\n%s", text)
	}
}

// Sessions of xorriso and mkisofs tell their own size, and Linux hides names whose
// continuation area lies beyond it. That is no damage.
func TestOwnSize(t *testing.T) {
	m, first, _ := disc(t)
	s, _ := m.add(t, source{names: []string{"plain"}, content: map[string]string{"plain": "no sums"}}, false)
	for _, at := range []uint32{16, 17} {
		d := iso9660.VolumeDescriptor(m.b[int(s.Start+at)*iso9660.BlockSize:][:iso9660.BlockSize])
		iso9660.TreeDescriptor{VolumeDescriptor: d}.SetVolumeSpaceSize(s.Blocks)
	}
	if res, found := audit(t, m, first, s); len(found) != 0 || res.Warnings < 2 {
		t.Errorf("%+v, %q", res, found)
	}
}

// The descriptors of the newest session, copied over those of an image at
// block 0, are checked where they belong.
func TestCopiedDescriptors(t *testing.T) {
	m, _, old := disc(t)
	second, _ := m.add(t, source{names: []string{"big", "new"}, content: map[string]string{"new": "BRAND NEW"}, old: old}, true)
	copy(m.b[16*iso9660.BlockSize:18*iso9660.BlockSize], m.b[int(second.Start+16)*iso9660.BlockSize:])
	res, found := audit(t, m, history.Session{Start: 0, Readable: true})
	if len(found) != 0 || res.Files != 2 || res.MD5.Match != 1 {
		t.Errorf("%+v, %q", res, found)
	}
	m.flip(t, second.Start, "BRAND NEW")
	if _, found := audit(t, m, history.Session{Start: 0, Readable: true}); len(found) != 2 {
		t.Errorf("a flipped byte: %q", found)
	}
}

func TestOtherSessions(t *testing.T) {
	m, s, _ := disc(t)
	res, found := audit(t, m,
		history.Session{Audio: true, Problem: "audio"},
		history.Session{Start: 5000, Problem: "block 5016 cannot be read"},
		history.Session{Start: 9000, Readable: true},
		s)
	if len(found) != 2 || res.AudioTracks != 1 || res.Sessions != 1 || !strings.Contains(found[0], "block 5016 cannot be read") || !strings.Contains(found[1], "cannot be opened") {
		t.Errorf("%+v, %q", res, found)
	}
	// One whose recording was interrupted is no loss when a later one holds it all.
	cut := history.Session{Number: 1, Cut: true, Problem: "interrupted after 100 of 200 blocks"}
	if res, found = audit(t, m, cut, s); len(found) != 0 || res.Warnings != 1 {
		t.Errorf("an interrupted one: %+v, %q", res, found)
	}
	if res, found = audit(t, m, s, cut); len(found) != 1 || !strings.Contains(found[0], "interrupted") {
		t.Errorf("an interrupted one, and nothing after it: %+v, %q", res, found)
	}
}

func TestManyFindingsAreBounded(t *testing.T) {
	m, s, old := disc(t)
	for i := range uint32(700) {
		m.bad[old["big"].Pieces[0].LBA+i] = true
	}
	n := 0
	a := Auditor{Disc: m, Report: func(Finding) { n++ }}
	s.Number = 1
	res, err := a.Check(t.Context(), []history.Session{s})
	if err != nil || res.Findings < 700 || n > MaxFindings {
		t.Errorf("%v, %d found, %d reported", err, res.Findings, n)
	}
}

func TestCancelled(t *testing.T) {
	m, s, _ := disc(t)
	ctx, cancel := context.WithCancel(t.Context())
	a := Auditor{Disc: m, Report: func(f Finding) { t.Error(f) }, Progress: func(int64) { cancel() }}
	if _, err := a.Check(ctx, []history.Session{s}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	cancel()
}

// TestDriveGone: a drive that was unplugged says nothing of the disc.
func TestDriveGone(t *testing.T) {
	m, s, _ := disc(t)
	audit(t, m, s)
	// How much is read in all differs a little from one time to the next.
	for all, n := m.read/10*9, int64(1); n < all; n += max(all/50, 1) {
		m.read, m.gone = 0, n
		a := Auditor{Disc: m, Report: func(f Finding) { t.Errorf("gone after %d bytes: %v", n, f) }}
		if _, err := a.Check(t.Context(), []history.Session{s}); !errors.Is(err, mmc.ErrDriveGone) {
			t.Errorf("gone after %d bytes: %v", n, err)
		}
	}
}

func TestContiguous(t *testing.T) {
	sec := func(lba uint32, size int64) iso9660.Section { return iso9660.Section{LBA: lba, Size: size} }
	for _, tt := range []struct {
		in     []iso9660.Section
		want   run
		ok     bool
		reason string
	}{
		{nil, run{}, false, "an empty file lies nowhere"},
		{[]iso9660.Section{sec(10, 3000)}, run{10, 3000}, true, "one section"},
		{[]iso9660.Section{sec(10, 4096), sec(12, 5)}, run{10, 4101}, true, "two that touch"},
		{[]iso9660.Section{sec(10, 4096), sec(13, 5)}, run{10, 4096}, false, "a gap"},
		{[]iso9660.Section{sec(10, 4095), sec(12, 5)}, run{10, 4095}, false, "a section that ends inside a block"},
	} {
		if got, ok := contiguous(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %v, %v", tt.reason, got, ok)
		}
	}
}

func ExampleFinding() {
	fmt.Println(Finding{Session: 2, LBA: 4711, Path: "dir/file", What: "cannot be read"})
	// Output: session 2, block 4711: cannot be read: dir/file
}
