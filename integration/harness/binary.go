package harness

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var binaryFlag = flag.String("burnfs", os.Getenv("BURNFS"), "`file` of the burnfs binary to test; built when empty")

// binary is built once for all tests of the process.
var binary struct {
	once sync.Once
	path string
	dir  string // to be removed, if it was built
	err  error
}

// Binary returns the path of the burnfs under test.
func Binary(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		if *binaryFlag != "" {
			binary.path, binary.err = filepath.Abs(*binaryFlag)
			if binary.err == nil {
				_, binary.err = os.Stat(binary.path)
			}
			return
		}
		if binary.dir, binary.err = os.MkdirTemp("", "burnfs-binary"); binary.err != nil {
			return
		}
		binary.path = filepath.Join(binary.dir, "burnfs")
		if out, err := exec.Command("go", "build", "-o", binary.path, "burnfs/cmd/burnfs").CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("build burnfs: %w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

// Main runs the tests of a package that uses the harness, and removes what was
// made for all of them.
func Main(m *testing.M) int {
	code := m.Run()
	if binary.dir != "" {
		if err := os.RemoveAll(binary.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}
