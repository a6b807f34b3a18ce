package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/mmc/emu"
)

// interruptBurn burns at a bearable speed and interrupts it in the middle.
func interruptBurn(t *testing.T, l lab, image string) result {
	t.Helper()
	return breakBurn(t, l, image, os.Interrupt)
}

// breakBurn sends a signal in the middle of a burn.
func breakBurn(t *testing.T, l lab, image string, with os.Signal) result {
	t.Helper()
	cmd := process(t, "burnfs", "burn", "--speed", "5000", l.disc, image)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	buf := make([]byte, 256)
	for !strings.Contains(said.String(), "burning:  20%") {
		n, err := stderr.Read(buf)
		if err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		said.Write(buf[:n])
	}
	if err := cmd.Process.Signal(with); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(&said, stderr); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit status is looked at by the caller
	return result{cmd.ProcessState.ExitCode(), "", said.String()}
}

func TestResume(t *testing.T) {
	for _, media := range []emu.Media{emu.DVDPlusR, emu.BDR} {
		t.Run(media.String(), func(t *testing.T) {
			l := newLab(t)
			l.create(t, media)
			image, other := filepath.Join(l.dir, "image.iso"), filepath.Join(l.dir, "other.iso")
			write(t, filepath.Join(l.dir, "src", "f"), strings.Repeat("0123456789abcdef", 1<<18))
			ok(t, "image", "-R", "-o", image, filepath.Join(l.dir, "src"))
			write(t, filepath.Join(l.dir, "src", "f"), strings.Repeat("fedcba9876543210", 1<<18))
			ok(t, "image", "-R", "-o", other, filepath.Join(l.dir, "src"))
			if r := call(t, nil, "burn", "--resume", l.disc, image); r.code != int(exitcode.Disc) || !strings.Contains(r.err, "no interrupted burn") {
				t.Errorf("nothing to resume: %v", r)
			}
			r := interruptBurn(t, l, image)
			if r.code != int(exitcode.Interrupted) || !strings.Contains(r.err, "burn --resume") {
				t.Fatal(r)
			}
			if r := call(t, nil, "burn", l.disc, image); r.code != int(exitcode.Disc) || !strings.Contains(r.err, "interrupted burn") {
				t.Errorf("a new burn over an open one: %v", r)
			}
			if list := sessions(t, l.disc); len(list) != 0 {
				t.Errorf("an open session counts: %+v", list)
			}
			if r := ok(t, "burn", "--resume", l.disc, image); !strings.Contains(r.out, "Session 1 is burned and verified") {
				t.Error(r)
			}
			if got := read(t, l.disc); !strings.HasPrefix(got, read(t, image)) {
				t.Error("the disc does not hold the image")
			}
			ok(t, "verify", l.disc)
		})
	}
}

// Another image is no continuation: the result does not read back as burned.
func TestResumeWithAnotherImage(t *testing.T) {
	l := newLab(t)
	*l.damaged = true // a half of each image
	l.create(t, emu.DVDPlusR)
	image, other := filepath.Join(l.dir, "image.iso"), filepath.Join(l.dir, "other.iso")
	write(t, filepath.Join(l.dir, "src", "f"), strings.Repeat("0123456789abcdef", 1<<18))
	ok(t, "image", "-R", "-o", image, filepath.Join(l.dir, "src"))
	write(t, filepath.Join(l.dir, "src", "f"), strings.Repeat("fedcba9876543210", 1<<18))
	ok(t, "image", "-R", "-o", other, filepath.Join(l.dir, "src"))
	interruptBurn(t, l, image)
	if r := call(t, nil, "burn", "--resume", l.disc, other); r.code != int(exitcode.Verify) {
		t.Errorf("got %v", r)
	}
}

func TestInterruptedCD(t *testing.T) {
	l := newLab(t)
	l.create(t, emu.CDR)
	image := filepath.Join(l.dir, "image.iso")
	write(t, filepath.Join(l.dir, "src", "f"), strings.Repeat("0123456789abcdef", 1<<18))
	ok(t, "image", "-R", "-o", image, filepath.Join(l.dir, "src"))
	r := interruptBurn(t, l, image)
	if r.code != int(exitcode.Interrupted) || !strings.Contains(r.err, "cannot be continued") {
		t.Error(r)
	}
	if r := call(t, nil, "burn", "--resume", l.disc, image); r.code != int(exitcode.Disc) {
		t.Errorf("a CD track cannot be resumed: %v", r)
	}
}
