//go:build linux

package guest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestBsdtarReadsTheArchive(t *testing.T) {
	var a archive
	a.dir("dev")
	a.char("dev/console", 5, 1)
	a.file("init", []byte("12345"))
	a.file("empty", nil)
	a.file("modules/a-name.ko", []byte("content\n"))
	file := filepath.Join(t.TempDir(), "initramfs")
	if err := os.WriteFile(file, a.bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := exec.Command("bsdtar", "-tvf", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, list)
	}
	var got []string
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		got = append(got, fields[0]+" "+fields[4]+" "+fields[len(fields)-1])
	}
	want := "drwxr-xr-x 0 dev\ncrw------- 5,1 dev/console\n-rwxr-xr-x 5 init\n-rwxr-xr-x 0 empty\n-rwxr-xr-x 8 modules/a-name.ko"
	if strings.Join(got, "\n") != want {
		t.Errorf("bsdtar lists\n%s", list)
	}
	content, err := exec.Command("bsdtar", "-xOf", file, "modules/a-name.ko", "init").CombinedOutput()
	if err != nil || string(content) != "12345content\n" {
		t.Errorf("%v, %q", err, content)
	}
}
