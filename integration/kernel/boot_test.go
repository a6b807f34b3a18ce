//go:build linux && kernel

package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"burnfs/integration/harness"
)

// loader is a boot image that says something on the first serial port and ends the
// machine through QEMU's isa-debug-exit. Bytes 8 to 63 are left to the boot
// information table.
func loader(text string) []byte {
	b := make([]byte, 2048)
	copy(b, "\xfa\xeb\x3d") // cli; jmp 40h
	copy(b[0x40:], "\x31\xc0\x8e\xd8"+
		"\xba\xf8\x03"+ //     mov dx, 3f8h
		"\xe8\x00\x00\x5e"+ // call 4ah; pop si
		"\x81\xc6\x19\x00"+ // add si, 19h: the text
		"\x2e\x8a\x04"+ //     mov al, cs:[si]
		"\x84\xc0\x74\x04"+ // test al, al; jz 5ah
		"\xee\x46\xeb\xf5"+ // out dx, al; inc si; jmp 4fh
		"\xba\xf4\x00\xb0\x01\xee"+ // mov dx, f4h; mov al, 1; out dx, al
		"\xf4\xeb\xf7") // hlt; jmp 5ah
	copy(b[0x63:], text+"\n")
	return b
}

// TestFirmwareBoots lets the BIOS of a virtual machine boot an image that burnfs has
// continued: first its own loader, then one that replaced it, then the same, whose
// file is gone.
func TestFirmwareBoots(t *testing.T) {
	t.Parallel()
	l := harness.New(t)
	root := l.Mkdir("root/boot", 0o755)
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, loader(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("loader.bin", "the first loader")
	d := l.Adopt(harness.PlainISO, l.Path("disc.iso"))
	harness.Run(l, "genisoimage", "-quiet", "-R", "-b", "boot/loader.bin", "-no-emul-boot", "-boot-load-size", "4",
		"-boot-info-table", "-c", "boot/boot.cat", "-o", d.Path, filepath.Dir(root))
	second := file("second.bin", "the second loader")
	boots := func(what, want string) {
		t.Helper()
		r := harness.Try(l, "timeout", "300", "qemu-system-x86_64", "-display", "none", "-serial", "stdio", "-m", "32", "-boot", "d",
			"-no-reboot", "-net", "none", "-device", "isa-debug-exit,iobase=0xf4", "-cdrom", d.Path)
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("%s: the machine does not say %q but\n%v", what, want, r)
		}
	}
	boots("made by genisoimage", "the first loader")
	for _, row := range []struct{ what, script, want string }{
		{"continued", `echo new >"$1/new"`, "the first loader"},
		{"with another loader", `cp "$2" "$1/boot/loader.bin"`, "the second loader"},
		{"without one", `rm -r "$1/boot"`, "the second loader"},
	} {
		m := d.Mount()
		harness.Shell(l, row.script, m.Point, second)
		m.Burn()
		boots(row.what, row.want)
	}
}
