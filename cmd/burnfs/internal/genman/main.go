// Command genman writes the manual pages.
//
//	go run ./cmd/burnfs/internal/genman [DIR]
//
// DIR is cmd/burnfs/man unless given. Pages that are no longer made are removed.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"burnfs/cmd/burnfs/internal/cli"
	"burnfs/cmd/burnfs/internal/manual"
)

func main() {
	dir := filepath.Join("cmd", "burnfs", "man")
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := write(dir); err != nil {
		fmt.Fprintln(os.Stderr, "genman:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	pages, err := manual.Pages(cli.Command())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.[158]"))
	if err != nil {
		return err
	}
	for _, f := range old {
		if _, ok := pages[filepath.Base(f)]; !ok {
			if err := os.Remove(f); err != nil {
				return err
			}
		}
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
