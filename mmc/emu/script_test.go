package emu_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

var rewrite = flag.Bool("rewrite", false, "write what the drive says into the scripts")

// TestScripts plays testdata/drive/*: commands, then a line "----", then what
// they say, then an empty line. The commands are the methods of [script].
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/drive/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			old, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &script{t: t, path: filepath.Join(t.TempDir(), "disc")}
			t.Cleanup(s.eject)
			got, err := s.play(old)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(got, old) {
				return
			}
			if *rewrite {
				if err := os.WriteFile(file, got, 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("%s: the drive says something else; see what with -rewrite and git diff:\n%s", file, firstDifference(string(old), string(got)))
		})
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d: want %q, got %q", i+1, w[i], strings.Join(g[min(i, len(g)-1):min(i+1, len(g))], ""))
		}
	}
	return "more lines follow"
}

type script struct {
	t    *testing.T
	path string
	d    *emu.Drive
}

func (s *script) eject() {
	if s.d != nil {
		if err := s.d.Close(); err != nil {
			s.t.Error(err)
		}
		s.d = nil
	}
}

// play runs all commands and returns the script with what they said.
func (s *script) play(b []byte) ([]byte, error) {
	var out bytes.Buffer
	var said []string
	inOutput := false
	sc := bufio.NewScanner(bytes.NewReader(b))
	end := func() {
		if !inOutput {
			return
		}
		for _, l := range said {
			fmt.Fprintln(&out, l)
		}
		said, inOutput = nil, false
	}
	for sc.Scan() {
		line := sc.Text()
		switch {
		case line == "----":
			inOutput = true
			fmt.Fprintln(&out, line)
		case inOutput && line == "":
			end()
			fmt.Fprintln(&out)
		case inOutput:
		case line == "" || strings.HasPrefix(line, "#"):
			fmt.Fprintln(&out, line)
		default:
			fmt.Fprintln(&out, line)
			text, err := s.command(strings.Fields(line))
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			said = append(said, strings.Split(strings.TrimRight(text, "\n"), "\n")...)
		}
	}
	end()
	return out.Bytes(), sc.Err()
}

func (s *script) command(f []string) (string, error) {
	arg := func(i int) uint32 {
		if i >= len(f) {
			return 0
		}
		base := 10
		text := f[i]
		if strings.HasSuffix(text, "h") {
			base, text = 16, strings.TrimSuffix(text, "h")
		}
		v, err := strconv.ParseUint(text, base, 32)
		if err != nil {
			s.t.Fatalf("%v: %v", f, err)
		}
		return uint32(v)
	}
	has := func(word string) bool {
		for _, v := range f[1:] {
			if v == word {
				return true
			}
		}
		return false
	}
	value := func(name string) int64 {
		for _, v := range f[1:] {
			if text, ok := strings.CutPrefix(v, name+"="); ok {
				n, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					s.t.Fatalf("%v: %v", f, err)
				}
				return n
			}
		}
		return 0
	}
	switch f[0] {
	case "create": // create MEDIA [blocks=N] [audio] [unformatted]
		s.eject()
		err := emu.Create(s.path, emu.Media(f[1]), emu.CreateOptions{
			Blocks: value("blocks"), AudioFirstSession: has("audio"), Unformatted: has("unformatted"),
		})
		return s.said(err), nil
	case "plain": // plain BYTES: a file of that many bytes, each block filled with its number
		s.eject()
		data := blocks(0, arg(1)/mmc.BlockSize+1)
		return "ok", os.WriteFile(s.path, data[:arg(1)], 0o666)
	case "insert": // insert [ro] [create] [max=N]
		s.eject()
		d, err := emu.Open(s.path, emu.Options{ReadOnly: has("ro"), Create: has("create"), MaxBlocks: uint32(value("max"))})
		if err == nil {
			s.d = d
			_, err = s.in([]byte{0x03, 0, 0, 0, 18, 0}, 18) // REQUEST SENSE takes the unit attention away
		}
		return s.said(err), nil
	case "insert-raw": // with the unit attention left
		s.eject()
		d, err := emu.Open(s.path, emu.Options{})
		s.d = d
		return s.said(err), nil
	case "close":
		s.eject()
		return "ok", nil
	case "power-cut":
		err := s.d.Crash()
		s.d = nil
		return s.said(err), nil
	case "file": // size of the data file
		fi, err := os.Stat(s.path)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%d bytes", fi.Size()), nil
	case "state":
		b, err := os.ReadFile(s.path + ".medium")
		if errors.Is(err, os.ErrNotExist) {
			return "none", nil
		}
		return string(b), err

	case "ready":
		return s.said(s.none([]byte{0, 0, 0, 0, 0, 0})), nil
	case "write", "write12", "write-verify": // write LBA BLOCKS
		return s.write(f[0], arg(1), arg(2)), nil
	case "read", "read12": // read LBA BLOCKS
		return s.read(f[0], arg(1), arg(2)), nil
	case "sync":
		return s.said(s.none(cdb(10, 0x35))), nil
	case "close-track":
		return s.said(s.none(cdb(10, 0x5b, 2, 1, 4, arg(1)>>8, 5, arg(1)&0xff))), nil
	case "close-session": // close-session [FUNCTION]
		function := uint32(2)
		if len(f) > 1 {
			function = arg(1)
		}
		return s.said(s.none(cdb(10, 0x5b, 2, function))), nil
	case "reserve":
		c := cdb(10, 0x53)
		binary.BigEndian.PutUint32(c[5:], arg(1))
		return s.said(s.none(c)), nil
	case "blank":
		return s.said(s.none(cdb(12, 0xa1, 1, arg(1)))), nil
	case "opc":
		return s.said(s.none(cdb(10, 0x54, 1, 1))), nil
	case "format": // format TYPE BLOCKS [restart] [sub=N]
		p := make([]byte, 12)
		p[1], p[3] = 0x82, 8
		binary.BigEndian.PutUint32(p[4:], arg(2))
		p[8] = byte(arg(1))<<2 | byte(value("sub"))
		if has("restart") {
			p[11] = 1
		}
		return s.said(s.out([]byte{0x04, 0x11, 0, 0, 0, 0}, p)), nil
	case "cue": // cue CONTROL.TRACK.INDEX.FORM@BLOCK …, form in hexadecimal
		var p []byte
		for _, e := range f[1:] {
			var ctl, tno, index, form, at int
			if _, err := fmt.Sscanf(e, "%d.%d.%d.%x@%d", &ctl, &tno, &index, &form, &at); err != nil {
				return "", err
			}
			at += 150
			p = append(p, byte(ctl<<4|1), byte(tno), byte(index), byte(form), 0, byte(at/75/60), byte(at/75%60), byte(at%75))
		}
		return s.said(s.out(cdb(10, 0x5d, 8, uint32(len(p))), p)), nil
	case "write-raw": // write-raw LBA BLOCKS SIZE: blocks of a size, with 8 bytes of sub-header if there is room
		lba, err := strconv.Atoi(f[1])
		if err != nil {
			return "", err
		}
		n, size := int(arg(2)), int(arg(3))
		var p []byte
		for i := range n {
			b := make([]byte, size)
			block(b[min(8, size-mmc.BlockSize):][:mmc.BlockSize], uint32(lba+i))
			if has("form2") {
				b[2], b[6] = 0x20, 0x20
			}
			p = append(p, b...)
		}
		c := cdb(10, 0x2a, 7, uint32(n>>8), 8, uint32(n&0xff))
		binary.BigEndian.PutUint32(c[2:], uint32(lba))
		return s.said(s.out(c, p)), nil
	case "read-cd": // read-cd LBA TYPE FIELDS SIZE: length, begin and a sum of the block
		c := cdb(12, 0xbe, 1, arg(2)<<2, 8, 1, 9, arg(3))
		binary.BigEndian.PutUint32(c[2:], arg(1))
		b, err := s.in(c, int(arg(4)))
		return fmt.Sprintf("%d bytes %x, CRC %08x, %s", len(b), b[:min(len(b), 32)], crc32.ChecksumIEEE(b), s.said(err)), nil
	case "read-header":
		c := cdb(10, 0x44, 8, 8)
		binary.BigEndian.PutUint32(c[2:], arg(1))
		b, err := s.in(c, 8)
		return fmt.Sprintf("%x %s", b, s.said(err)), nil
	case "mode-select": // mode-select tao|packet|sao|raw [multi] [simulate] [audio] [xa] [xa-sub] [link] [fixed]
		p := make([]byte, 8+52)
		page := p[8:]
		page[0], page[1] = 5, 50
		page[2] = 0x40 | map[string]byte{"packet": 0, "tao": 1, "sao": 2, "raw": 3}[f[1]]
		page[3], page[4] = 4, 8
		if has("multi") {
			page[3] |= 0xc0
		}
		if has("simulate") {
			page[2] |= 0x10
		}
		if has("audio") {
			page[3], page[4] = page[3]&0xf0, 0
		}
		if has("xa") {
			page[4], page[8] = 10, 0x20
		}
		if has("xa-sub") { // with sub-header
			page[4], page[8] = 11, 0x20
		}
		if has("link") { // of 16 blocks
			page[2], page[5] = page[2]|0x20, 16
		}
		if has("fixed") { // packets of 16 blocks
			page[3], page[13] = page[3]|0x20, 16
		}
		binary.BigEndian.PutUint16(page[14:], 150)
		return s.said(s.out(cdb(10, 0x55, 1, 0x10, 8, uint32(len(p))), p)), nil
	case "mode-sense": // mode-sense PAGE
		b, err := s.in(cdb(10, 0x5a, 1, 8, 2, arg(1), 7, 1), 256)
		if err != nil {
			return s.said(err), nil
		}
		return hex.EncodeToString(b[8:]), nil
	case "eject":
		return s.said(s.none([]byte{0x1b, 0, 0, 0, 2, 0})), nil
	case "load":
		return s.said(s.none([]byte{0x1b, 0, 0, 0, 3, 0})), nil
	case "prevent", "allow":
		return s.said(s.none([]byte{0x1e, 0, 0, 0, map[string]byte{"prevent": 1}[f[0]], 0})), nil
	case "event":
		b, err := s.in(cdb(10, 0x4a, 1, 1, 4, 0x10, 8, 8), 8)
		if err != nil {
			return s.said(err), nil
		}
		return fmt.Sprintf("event %d, medium present %v, tray open %v", b[4], b[5]&2 != 0, b[5]&1 != 0), nil
	case "sense?":
		b, err := s.in([]byte{0x03, 0, 0, 0, 18, 0}, 18)
		if err != nil {
			return s.said(err), nil
		}
		return fmt.Sprintf("%X/%02X/%02X", b[2], b[12], b[13]), nil
	case "capacity":
		b, err := s.in(cdb(10, 0x25), 8)
		if err != nil {
			return s.said(err), nil
		}
		return fmt.Sprintf("last block %d", binary.BigEndian.Uint32(b)), nil
	case "format-capacities":
		b, err := s.in(cdb(10, 0x23, 8, 252), 252)
		if err != nil {
			return s.said(err), nil
		}
		var text strings.Builder
		fmt.Fprintf(&text, "%d blocks, %s\n", binary.BigEndian.Uint32(b[4:]),
			[]string{"?", "unformatted", "formatted", "unknown"}[b[8]&3])
		for d := b[12:]; len(d) >= 8; d = d[8:] {
			fmt.Fprintf(&text, "format %02Xh: %d blocks\n", d[4]>>2, binary.BigEndian.Uint32(d))
		}
		return text.String(), nil
	case "structure": // structure MEDIA FORMAT: its first bytes
		b, err := s.in(cdb(12, 0xad, 1, arg(1), 7, arg(2), 8, 0x10), 4096)
		if err != nil {
			return s.said(err), nil
		}
		n := min(int(binary.BigEndian.Uint16(b))+2, len(b))
		return fmt.Sprintf("%d bytes % x", n, b[4:min(n, 20)]), nil
	case "profile":
		b, err := s.in(cdb(10, 0x46, 1, 1, 7, 2), 512)
		if err != nil {
			return s.said(err), nil
		}
		var features []string
		for d := b[8:]; len(d) >= 4; d = d[4+int(d[3]):] {
			features = append(features, fmt.Sprintf("%02X%02X", d[0], d[1]))
		}
		return fmt.Sprintf("%04Xh, current features %s", binary.BigEndian.Uint16(b[6:]), strings.Join(features, " ")), nil
	case "disc":
		return s.disc(), nil
	case "track": // track number N | track block N | track session N
		kind := map[string]uint32{"block": 0, "number": 1, "session": 2}[f[1]]
		return s.track(kind, arg(2)), nil
	case "tracks":
		b, err := s.in(cdb(10, 0x51, 8, 34), 34)
		if err != nil {
			return s.said(err), nil
		}
		var text strings.Builder
		for n := uint32(1); n <= uint32(b[11])<<8|uint32(b[6]); n++ {
			fmt.Fprintln(&text, s.track(1, n))
		}
		return text.String(), nil
	case "toc": // toc FORMAT [SESSION OR TRACK]
		return s.toc(arg(1), arg(2)), nil
	case "cdb": // cdb HEX [in N | out N]
		c, err := hex.DecodeString(f[1])
		if err != nil {
			return "", err
		}
		switch {
		case has("in"):
			b, err := s.in(c, int(arg(3)))
			if err != nil {
				return s.said(err), nil
			}
			return hex.EncodeToString(b), nil
		case has("out"):
			return s.said(s.out(c, make([]byte, arg(3)))), nil
		}
		return s.said(s.none(c)), nil
	}
	return "", errors.New("no such command")
}

// cdb makes a command of n bytes from an operation code and pairs of offset and
// value.
func cdb(n int, op uint32, pairs ...uint32) []byte {
	c := make([]byte, n)
	c[0] = byte(op)
	for i := 0; i+1 < len(pairs); i += 2 {
		c[pairs[i]] = byte(pairs[i+1])
	}
	return c
}

// said is what a command ended with.
func (s *script) said(err error) string {
	var se *mmc.SenseError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &se):
		text := fmt.Sprintf("%v %X/%02X/%02X", se.Key, uint8(se.Key), se.ASC, se.ASCQ)
		if se.InfoValid {
			text += fmt.Sprintf(" block %d", se.Info)
		}
		return text
	}
	return strings.ReplaceAll(err.Error(), s.path, "DISC")
}

func (s *script) none(c []byte) error {
	return s.d.Execute(context.Background(), &mmc.Command{CDB: c})
}

func (s *script) out(c, p []byte) error {
	cmd := &mmc.Command{CDB: c, Direction: mmc.ToDrive, Data: p}
	err := s.d.Execute(context.Background(), cmd)
	if err == nil && cmd.Resid != 0 {
		s.t.Errorf("% x: %d of %d bytes left", c, cmd.Resid, len(p))
	}
	return err
}

func (s *script) in(c []byte, n int) ([]byte, error) {
	cmd := &mmc.Command{CDB: c, Direction: mmc.FromDrive, Data: make([]byte, n)}
	err := s.d.Execute(context.Background(), cmd)
	return cmd.Transferred(), err
}

// block fills p with what the tests write at a block.
func block(p []byte, lba uint32) {
	for i := 0; i < len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], uint64(lba)<<16|uint64(i)|1)
	}
}

func blocks(lba, n uint32) []byte {
	p := make([]byte, int(n)*mmc.BlockSize)
	for i := range n {
		block(p[int(i)*mmc.BlockSize:][:mmc.BlockSize], lba+i)
	}
	return p
}

func (s *script) write(how string, lba, n uint32) string {
	c := cdb(10, 0x2a)
	switch how {
	case "write12":
		c = cdb(12, 0xaa, 10, 0x80)
		binary.BigEndian.PutUint32(c[6:], n)
	case "write-verify":
		c = cdb(10, 0x2e)
		fallthrough
	default:
		binary.BigEndian.PutUint16(c[7:], uint16(n))
	}
	binary.BigEndian.PutUint32(c[2:], lba)
	return s.said(s.out(c, blocks(lba, n)))
}

// read tells which blocks hold what: "data" is what write wrote there.
func (s *script) read(how string, lba, n uint32) string {
	c := cdb(10, 0x28)
	binary.BigEndian.PutUint16(c[7:], uint16(n))
	if how == "read12" {
		c = cdb(12, 0xa8)
		binary.BigEndian.PutUint32(c[6:], n)
	}
	binary.BigEndian.PutUint32(c[2:], lba)
	b, err := s.in(c, int(n)*mmc.BlockSize)
	var parts []string
	run, first := "", lba
	flush := func(next uint32) {
		if run != "" {
			parts = append(parts, fmt.Sprintf("%s %d-%d", run, first, next-1))
		}
		first = next
	}
	want := make([]byte, mmc.BlockSize)
	for i := uint32(0); len(b) > 0; i, b = i+1, b[mmc.BlockSize:] {
		block(want, lba+i)
		what := "other"
		switch {
		case bytes.Equal(b[:mmc.BlockSize], want):
			what = "data"
		case bytes.Equal(b[:mmc.BlockSize], make([]byte, mmc.BlockSize)):
			what = "zeros"
		}
		if what != run {
			flush(lba + i)
			run = what
		}
		if len(b) == mmc.BlockSize {
			flush(lba + i + 1)
		}
	}
	return strings.Join(append(parts, s.said(err)), ", ")
}

func (s *script) disc() string {
	b, err := s.in(cdb(10, 0x51, 8, 34), 34)
	if err != nil {
		return s.said(err)
	}
	text := fmt.Sprintf("%s, last session %s, sessions %d, tracks of last session %d-%d",
		[]string{"blank", "appendable", "complete", "other"}[b[2]&3],
		[]string{"empty", "incomplete", "damaged", "complete"}[b[2]>>2&3],
		int(b[9])<<8|int(b[4]), int(b[10])<<8|int(b[5]), int(b[11])<<8|int(b[6]))
	if b[2]&0x10 != 0 {
		text += ", erasable"
	}
	if b[7]&3 != 0 {
		text += fmt.Sprintf(", background format %d", b[7]&3)
	}
	return text
}

func (s *script) track(kind, number uint32) string {
	c := cdb(10, 0x52, 1, kind, 8, 36)
	binary.BigEndian.PutUint32(c[2:], number)
	b, err := s.in(c, 36)
	if err != nil {
		return s.said(err)
	}
	u32 := func(off int) uint32 { return binary.BigEndian.Uint32(b[off:]) }
	text := fmt.Sprintf("track %d session %d: start %d size %d", int(b[32])<<8|int(b[2]), int(b[33])<<8|int(b[3]), u32(8), u32(24))
	if b[7]&1 != 0 {
		text += fmt.Sprintf(" nwa %d free %d", u32(12), u32(16))
	}
	if b[7]&2 != 0 {
		text += fmt.Sprintf(" last recorded %d", u32(28))
	}
	for _, flag := range []struct {
		off  int
		mask byte
		name string
	}{{5, 0x20, "damaged"}, {6, 0x80, "reserved"}, {6, 0x40, "blank"}, {6, 0x10, "fixed"}, {6, 0x20, "packets"}} {
		if b[flag.off]&flag.mask != 0 {
			text += " " + flag.name
		}
	}
	if b[5]&4 == 0 {
		text += " audio"
	}
	if b[6]&0xf == 2 {
		text += " mode 2"
	}
	return text
}

func (s *script) toc(format, from uint32) string {
	b, err := s.in(cdb(10, 0x43, 2, format, 6, from, 7, 8), 2048)
	if err != nil {
		return s.said(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d to %d\n", b[2], b[3])
	switch format {
	case 0, 1:
		for d := b[4:]; len(d) >= 8; d = d[8:] {
			fmt.Fprintf(&text, "%02Xh control %d: %d\n", d[2], d[1]&0xf, binary.BigEndian.Uint32(d[4:]))
		}
	case 2, 3:
		for d := b[4:]; len(d) >= 11; d = d[11:] {
			fmt.Fprintf(&text, "session %d point %02Xh control %d: %02d:%02d.%02d %02d:%02d.%02d\n", d[0], d[3], d[1]&0xf, d[4], d[5], d[6], d[8], d[9], d[10])
		}
	default:
		fmt.Fprintf(&text, "%x\n", b[4:])
	}
	return text.String()
}
