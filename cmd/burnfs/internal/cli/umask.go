package cli

import (
	"bytes"
	"os"
	"strconv"
)

// umask is that of this process. It is read from /proc (proc(5)), because
// umask(2) can only be asked by changing it for all threads.
func umask() os.FileMode {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0o022
	}
	for line := range bytes.Lines(b) {
		if v, ok := bytes.CutPrefix(line, []byte("Umask:")); ok {
			if n, err := strconv.ParseUint(string(bytes.TrimSpace(v)), 8, 32); err == nil {
				return os.FileMode(n)
			}
		}
	}
	return 0o022
}
