package emu_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"burnfs/mmc"
	"burnfs/mmc/emu"
)

func TestMain(m *testing.M) {
	if what, path, ok := strings.Cut(os.Getenv("EMU_TEST_CHILD"), ":"); ok {
		if err := child(what, path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is what the test binary does when a test runs it as another process.
func child(what, path string) error {
	d, err := emu.Open(path, emu.Options{})
	if err != nil {
		return err
	}
	if err := execute(d, "000000000000", mmc.NoData, nil); !errors.Is(err, mmc.ErrMediumChanged) {
		return err
	}
	switch what {
	case "write-one": // one block, and tell how it went
		if err := execute(d, "2a 00 00000000 00 0001 00", mmc.ToDrive, blocks(0, 1)); err != nil {
			return err
		}
		return d.Close()
	case "burn": // until killed; tells each address up to which blocks are flushed
		for lba := uint32(0); ; {
			for range 16 {
				if err := execute(d, fmt.Sprintf("2a 00 %08x 00 0020 00", lba), mmc.ToDrive, blocks(lba, 32)); err != nil {
					return err
				}
				lba += 32
			}
			if err := execute(d, "35 00 00000000 00 0000 00", mmc.NoData, nil); err != nil {
				return err
			}
			fmt.Println(lba)
		}
	}
	return errors.New("no such child")
}

// TestKill kills a process that burns. The track goes on where it was flushed, or
// later, and what is below is there.
func TestKill(t *testing.T) {
	path := newDisc(t, emu.BDR, emu.CreateOptions{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "EMU_TEST_CHILD=burn:"+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var flushed uint32
	lines := bufio.NewReader(out)
	for range 8 {
		if _, err := fmt.Fscanln(lines, &flushed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := emu.Open(path, emu.Options{}); !errors.Is(err, emu.ErrInUse) {
		t.Errorf("opening the disc of another process: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(rest)) {
		if _, err := fmt.Sscan(line, &flushed); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}

	d := insert(t, path, emu.Options{})
	b := make([]byte, 36)
	if err := execute(d, "52 01 00000001 00 0024 00", mmc.FromDrive, b); err != nil {
		t.Fatal(err)
	}
	nwa := binary.BigEndian.Uint32(b[12:])
	if b[7]&1 == 0 || nwa < flushed || nwa%32 != 0 {
		t.Fatalf("next writable address %d (valid %v), but blocks up to %d were flushed", nwa, b[7]&1 != 0, flushed)
	}
	p := make([]byte, 32*mmc.BlockSize)
	for lba := uint32(0); lba < nwa; lba += 32 {
		if err := execute(d, fmt.Sprintf("28 00 %08x 00 0020 00", lba), mmc.FromDrive, p); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p, blocks(lba, 32)) {
			t.Fatalf("blocks from %d on are not what was written", lba)
		}
	}
	if err := execute(d, fmt.Sprintf("2a 00 %08x 00 0020 00", nwa), mmc.ToDrive, blocks(nwa, 32)); err != nil {
		t.Errorf("going on: %v", err)
	}
}

// TestHostPermission: a file that the user may only read is a write-protected
// medium.
func TestHostPermission(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{filepath.Dir(dir)} {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	plain, disc := filepath.Join(dir, "plain.iso"), filepath.Join(dir, "disc")
	if err := os.WriteFile(plain, blocks(0, 4), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := emu.Create(disc, emu.BDR, emu.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(disc, 0o666); err != nil { // but not the directory
		t.Fatal(err)
	}
	exe := copyExecutable(t, dir)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o755) })
	for _, tt := range []struct{ reason, path string }{
		{"the data file is read only", plain},
		{"the directory of the state file is read only", disc},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), "EMU_TEST_CHILD=write-one:"+tt.path)
			if os.Getuid() == 0 { // whom no permission stops
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "DATA PROTECT 7/27/00") {
				t.Errorf("got %v: %s", err, out)
			}
		})
	}
}

func copyExecutable(t *testing.T, dir string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "child")
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLock(t *testing.T) {
	for _, tt := range []struct {
		reason        string
		first, second emu.Options
		refused       bool
	}{
		{"two writers", emu.Options{}, emu.Options{}, true},
		{"a reader beside a writer", emu.Options{}, emu.Options{ReadOnly: true}, true},
		{"a writer beside a reader", emu.Options{ReadOnly: true}, emu.Options{}, true},
		{"two readers", emu.Options{ReadOnly: true}, emu.Options{ReadOnly: true}, false},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			path := newDisc(t, emu.BDR, emu.CreateOptions{})
			first, err := emu.Open(path, tt.first)
			if err != nil {
				t.Fatal(err)
			}
			second, err := emu.Open(path, tt.second)
			switch {
			case !tt.refused && err != nil:
				t.Fatal(err)
			case tt.refused && (!errors.Is(err, emu.ErrInUse) || !strings.Contains(err.Error(), path)):
				t.Fatalf("got %v, want ErrInUse naming the file", err)
			case second != nil:
				if err := second.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := errors.Join(first.Close(), first.Close()); err != nil {
				t.Fatal(err)
			}
			if err := execute(first, "000000000000", mmc.NoData, nil); !errors.As(err, new(*mmc.TransportError)) {
				t.Errorf("a command for a closed drive: %v", err)
			}
			again, err := emu.Open(path, tt.second)
			if err != nil {
				t.Fatalf("after the first was closed: %v", err)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenRefusals(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, content string) {
		if err := os.WriteFile(path(name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(path("fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path("folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	write("torn", "")
	write("torn.medium", `{"format": "burnfs medium", "version": 1, "media": "bd-r", "blo`)
	write("newer", "")
	write("newer.medium", `{"format": "burnfs medium", "version": 2, "media": "hd-dvd"}`)
	write("lost.medium", `{"format": "burnfs medium", "version": 1, "media": "bd-r", "blocks": 12219392, "id": 1}`)
	for _, tt := range []struct {
		reason, name string
		opt          emu.Options
		is           error
		says         string
	}{
		{"a directory", "folder", emu.Options{}, emu.ErrNotDisc, "is a directory"},
		{"a directory, read only", "folder", emu.Options{ReadOnly: true}, emu.ErrNotDisc, "not a regular file"},
		{"a pipe must not block", "fifo", emu.Options{ReadOnly: true}, emu.ErrNotDisc, "not a regular file"},
		{"nothing", "nothing", emu.Options{}, os.ErrNotExist, "nothing"},
		{"nothing cannot be created read only", "nothing", emu.Options{Create: true, ReadOnly: true}, os.ErrNotExist, "nothing"},
		{"half a state file is not guessed at", "torn", emu.Options{}, nil, "torn.medium: this file describes an emulated disc and cannot be understood"},
		{"the state file of a newer version", "newer", emu.Options{}, nil, "its version is 2, and only version 1 is known"},
		{"a state file whose data file is gone", "lost", emu.Options{Create: true}, nil, "is missing, but"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			d, err := emu.Open(path(tt.name), tt.opt)
			if err == nil {
				d.Close()
				t.Fatal("it was opened")
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %q, want %v saying %q", err, tt.is, tt.says)
			}
		})
	}
}

func TestCreateRefusals(t *testing.T) {
	for _, tt := range []struct {
		reason string
		media  emu.Media
		opt    emu.CreateOptions
		before []string // files that exist already
		says   string
	}{
		{"no such medium", "hd-dvd", emu.CreateOptions{}, nil, "choose one of " + strings.Join(emu.MediaNames(), ", ")},
		{"too small", emu.CDR, emu.CreateOptions{Blocks: 1023}, nil, "a cd-r can have 1024 to 449844 blocks of 2048 bytes, not 1023"},
		{"too large", emu.BDR, emu.CreateOptions{Blocks: 1 << 40}, nil, "1024 to 62500864 blocks"},
		{"negative", emu.BDR, emu.CreateOptions{Blocks: -1}, nil, "not -1"},
		{"audio on a DVD", emu.DVDPlusR, emu.CreateOptions{AudioFirstSession: true}, nil, "only cd-r and cd-rw can"},
		{"audio on a CD without room for it", emu.CDR, emu.CreateOptions{AudioFirstSession: true, Blocks: 3000}, nil, "too small"},
		{"a file is there", emu.BDR, emu.CreateOptions{}, []string{"disc"}, "exists already and is left as it is"},
		{"a state file is there", emu.BDR, emu.CreateOptions{}, []string{"disc.medium"}, "exists already and is left as it is"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range tt.before {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("precious"), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			err := emu.Create(filepath.Join(dir, "disc"), tt.media, tt.opt)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != len(tt.before) {
				t.Errorf("left behind: %v, %v", left, err)
			}
			for _, name := range tt.before {
				if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != "precious" {
					t.Errorf("%s was overwritten: %q, %v", name, b, err)
				}
			}
		})
	}
}

func TestCreateCapacity(t *testing.T) {
	for _, tt := range []struct {
		reason string
		media  emu.Media
		blocks int64
		want   int64
	}{
		{"80 minutes", emu.CDR, 0, 359844},
		{"74 minutes", emu.CDRW, 333000, 333000},
		{"single layer", emu.DVDPlusR, 0, 2295104},
		{"whole packets only", emu.DVDPlusRW, 100001, 100000},
		{"a DVD-RAM", emu.DVDRAM, 0, 2236704},
		{"an unformatted BD-R", emu.BDR, 0, 12219392},
		{"four layers", emu.BDR, 62500864, 62500864},
		{"whole clusters only", emu.BDR, 4127, 4096},
		{"a BD-RE with default spares", emu.BDRE, 0, 11826176},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			d := insert(t, newDisc(t, tt.media, emu.CreateOptions{Blocks: tt.blocks}), emu.Options{})
			b := make([]byte, 12)
			if err := execute(d, "23 00 00000000 00 000c 00", mmc.FromDrive, b); err != nil {
				t.Fatal(err)
			}
			if got := int64(binary.BigEndian.Uint32(b[4:])); got != tt.want {
				t.Errorf("%d blocks, want %d", got, tt.want)
			}
			if d.Medium() != tt.media || tt.blocks == 0 && tt.media.DefaultBlocks() != tt.want {
				t.Errorf("medium %s, default %d", d.Medium(), tt.media.DefaultBlocks())
			}
		})
	}
}

// TestSymbolicLink: the state file is found beside the data file, by whatever
// name that is opened.
func TestSymbolicLink(t *testing.T) {
	path := newDisc(t, emu.CDR, emu.CreateOptions{})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if d := insert(t, link, emu.Options{}); d.Medium() != emu.CDR {
		t.Errorf("the link plays a %s", d.Medium())
	}
}

func TestParseMedia(t *testing.T) {
	for _, name := range emu.MediaNames() {
		for _, spelling := range []string{name, strings.ToUpper(name)} {
			if m, err := emu.ParseMedia(spelling); err != nil || m.String() != name || m.Profile() == mmc.ProfileNone {
				t.Errorf("%s: %v, %v, %v", spelling, m, m.Profile(), err)
			}
		}
	}
	if _, err := emu.ParseMedia("dvd"); err == nil {
		t.Error("dvd is no kind of medium")
	}
}

// TestForeignImage plays images that other programs made, and lets another
// program read one that was written through the drive.
func TestForeignImage(t *testing.T) {
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := os.Mkdir(tree, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "hello"), bytes.Repeat([]byte("hello, disc\n"), 1000), 0o666); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(dir, "image.iso")
	run(t, "genisoimage", "-quiet", "-R", "-o", image, tree)
	want, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	d := insert(t, image, emu.Options{})
	last := make([]byte, 8)
	if err := execute(d, "25 00 00000000 00 0000 00", mmc.FromDrive, last); err != nil {
		t.Fatal(err)
	}
	if got := int(binary.BigEndian.Uint32(last)) + 1; got != len(want)/mmc.BlockSize {
		t.Fatalf("capacity %d blocks, the image has %d bytes", got, len(want))
	}
	for _, media := range []emu.Media{"", emu.BDRE, emu.DVDPlusRW, emu.DVDPlusR, emu.BDR, emu.CDR} {
		name := "plain file"
		path := filepath.Join(t.TempDir(), "copy")
		opt := emu.Options{Create: media == ""}
		if media != "" {
			name = string(media)
			if err := emu.Create(path, media, emu.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(name, func(t *testing.T) {
			to := insert(t, path, opt)
			if media == emu.CDR {
				p := make([]byte, 60)
				p[8], p[9], p[10], p[11], p[12] = 5, 50, 0x41, 0xc4, 8
				if err := execute(to, "55 10 00000000 00 003c 00", mmc.ToDrive, p); err != nil {
					t.Fatal(err)
				}
			}
			for lba := 0; lba < len(want)/mmc.BlockSize; lba += 32 {
				n := min(32, len(want)/mmc.BlockSize-lba)
				p := make([]byte, n*mmc.BlockSize)
				if err := execute(d, fmt.Sprintf("28 00 %08x 00 %04x 00", lba, n), mmc.FromDrive, p); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(p, want[lba*mmc.BlockSize:][:len(p)]) {
					t.Fatalf("blocks from %d on differ", lba)
				}
				p = append(p, make([]byte, (32-n)*mmc.BlockSize)...)
				if err := execute(to, fmt.Sprintf("2a 00 %08x 00 0020 00", lba), mmc.ToDrive, p); err != nil {
					t.Fatal(err)
				}
			}
			if err := execute(to, "35 00 00000000 00 0000 00", mmc.NoData, nil); err != nil {
				t.Fatal(err)
			}
			if out := run(t, "isoinfo", "-R", "-i", path, "-x", "/hello"); out != strings.Repeat("hello, disc\n", 1000) {
				t.Errorf("isoinfo reads %d bytes", len(out))
			}
		})
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, stderr.String())
	}
	return string(out)
}

// TestCanceledContext: a command that was not handed over yet is not sent.
func TestCanceledContext(t *testing.T) {
	d := insert(t, newDisc(t, emu.BDR, emu.CreateOptions{}), emu.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := d.Execute(ctx, &mmc.Command{CDB: []byte{0x2a, 0, 0, 0, 0, 0, 0, 0, 32, 0}, Direction: mmc.ToDrive, Data: blocks(0, 32)})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if err := execute(d, "2a 00 00000000 00 0020 00", mmc.ToDrive, blocks(0, 32)); err != nil {
		t.Errorf("the canceled command was executed: %v", err)
	}
}

// TestCutOff: what somebody cuts off a file that is in a drive is no zeros, and does not
// become zeros by a write behind it.
func TestCutOff(t *testing.T) {
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "x.iso")
	must(os.WriteFile(path, bytes.Repeat([]byte{7}, 10*mmc.BlockSize+5), 0o600))
	e, err := emu.Open(path, emu.Options{})
	must(err)
	d := mmc.NewDrive(e, nil)
	defer d.Close()
	block := make([]byte, mmc.BlockSize)
	must(d.WaitReady(ctx, "opening", time.Minute))
	must(d.Read10(ctx, 10, block))
	if block[4] != 7 || block[5] != 0 {
		t.Errorf("the last block begins with %v", block[:6])
	}
	must(d.Write10(ctx, 20, block))
	must(d.Read10(ctx, 15, block)) // a hole of ours
	must(os.Truncate(path, 20*mmc.BlockSize))
	var host *emu.HostError
	if err := d.Read10(ctx, 20, block); !errors.Is(err, mmc.ErrUnreadable) || !errors.As(err, &host) {
		t.Errorf("reading what was cut off: %v", err)
	}
	must(d.Read10(ctx, 3, block))
	if err := d.Write10(ctx, 40, block); !errors.Is(err, mmc.ErrWriteError) || !errors.As(err, &host) {
		t.Errorf("writing: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 20*mmc.BlockSize {
		t.Errorf("the file is now %v, %v", info, err)
	}
}
