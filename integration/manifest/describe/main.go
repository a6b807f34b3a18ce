// Command describe writes the description of a directory tree (package
// manifest) to a file, for a program that cannot look at the tree itself, such
// as a test whose tree is in a virtual machine:
//
//	describe DIRECTORY FILE [DIRECTORY FILE]...
package main

import (
	"encoding/gob"
	"errors"
	"fmt"
	"os"

	"burnfs/integration/manifest"
)

func main() {
	if len(os.Args) < 3 || len(os.Args)%2 == 0 {
		fmt.Fprintln(os.Stderr, "usage: describe DIRECTORY FILE [DIRECTORY FILE]...")
		os.Exit(2)
	}
	for i := 1; i < len(os.Args); i += 2 {
		if err := describe(os.Args[i], os.Args[i+1]); err != nil {
			fmt.Fprintln(os.Stderr, "describe:", err)
			os.Exit(1)
		}
	}
}

func describe(dir, file string) (err error) {
	tree, err := manifest.Read(dir)
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return gob.NewEncoder(f).Encode(tree)
}
