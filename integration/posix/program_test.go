package posix

import (
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// copyProgram copies a program, to be run.
func copyProgram(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o755)
}

// startProgram lets a program run until stop is called.
func startProgram(path string, args ...string) (stop func(), err error) {
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	if err := cmd.Start(); err != nil {
		if pe, ok := err.(*os.PathError); ok {
			err = pe.Err
			if e, ok := err.(unix.Errno); ok {
				err = e
			}
		}
		return func() {}, err
	}
	return func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // with the signal
	}, nil
}
