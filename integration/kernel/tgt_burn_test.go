//go:build linux && kernel

package kernel

import (
	"strings"
	"testing"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// TestDriveOfOthers is scenario 3: burnfs burns on the blank DVD+R of Debian's
// tgt, a drive that nobody here wrote. It takes a single session: after any
// close it says that it has a DVD-ROM.
func TestDriveOfOthers(t *testing.T) {
	r := enter(t)
	d := startTgt(r)
	burnfs := harness.Binary(t)
	r.sh(quick, "mkdir -p /tmp/tgt")
	r.Cleanup(func() { r.cleanup("rm -rf /tmp/tgt") })

	if info := r.sh(quick, burnfs+" info "+d.SR); !strings.Contains(info, "DVD+R (profile 001Bh)") || !strings.Contains(info, "blank") {
		t.Errorf("info of the blank disc:\n%s", info)
	}

	m := r.model()
	harness.Zoo(t, harness.Rand(t), m.dir)
	m.change("", specimens)
	m.keep()
	r.sh(burnTime, burnfs+" mount -o statedir=/tmp/tgt/state "+d.SR+" /mnt\ncp -a "+m.dir+"/. /mnt/")
	r.compare("the mount before the burn", "/mnt", m.newest(), manifest.Everything)
	if out := r.sh(burnTime, burnfs+" umount /mnt"); !strings.Contains(out, "Session 1 is burned and verified") {
		t.Errorf("umount says\n%s", out)
	}

	// The kernel has the capacity of the blank disc in mind.
	d, err := r.Reprobe(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	r.kernelShows(d.SR, m.newest())
	r.sh(burnTime, burnfs+" verify "+d.SR)
	r.sh(burnTime, "xorriso -md5 on -indev "+d.SR+" -check_md5_r sorry / -- 2>&1")

	// What the drive calls a DVD-ROM is mounted all the same, and nothing is
	// staged that could never be burned.
	out := r.sh(quick, burnfs+" mount -o statedir=/tmp/tgt/state "+d.SR+" /mnt 2>&1")
	r.compare("the closed disc, mounted by burnfs", "/mnt", m.newest(), manifest.Everything)
	out += r.sh(quick, "touch /mnt/new 2>&1 || true\n"+burnfs+" status /mnt\n"+burnfs+" umount /mnt")
	for _, want := range []string{"Read-only file system", "DVD-ROM"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not said about the closed disc:\n%s", want, out)
		}
	}
	// A disc is destroyed or closed by nobody's mistake.
	for _, command := range []string{"blank --yes", "format --yes", "finalize --yes", "burn --multi"} {
		args := command + " " + d.SR
		if strings.HasPrefix(command, "burn") {
			args += " /dev/null"
		}
		result, err := r.Run(t.Context(), burnfs+" "+args, quick)
		if err != nil || result.Code == 0 || !strings.Contains(result.Output, "DVD-ROM") {
			t.Errorf("burnfs %s: %+v, %v", args, result, err)
		}
	}
	r.kernelShows(d.SR, m.newest())
}

// specimens are what the kernel shows of a later session only if every size in
// it is absolute: names and targets that need a continuation area. A name is
// 253 bytes at most for the kernel.
const specimens = `
mkdir -p $ROOT/long
for i in 1 2 3; do
	echo $i >$ROOT/long/$i$(printf '%0.sn' {1..220})
done
echo most >$ROOT/long/$(printf '%0.sm' {1..253})
ln -sfn $(printf 'directory-name/%.0s' {1..60})end $ROOT/long/link`
