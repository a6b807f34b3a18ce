package utab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func content(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "utab"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

func TestAddRemove(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mount") // does not exist yet
	foreign := "SRC=/dev/sdb1 TARGET=/mnt ROOT=/ OPTS=uhelper=udisks2\n"
	e := Entry{"/srv/my disc.img", "/mnt"}
	line := "SRC=/srv/my\\040disc.img TARGET=/mnt ROOT=/\n"
	if err := Remove(dir, e); err != nil || content(t, dir) != "" {
		t.Errorf("removing from nothing: %v, %q", err, content(t, dir))
	}
	if err := os.WriteFile(filepath.Join(dir, "utab"), []byte(foreign), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // once more changes nothing
		if err := Add(dir, e); err != nil || content(t, dir) != foreign+line {
			t.Errorf("added: %v, %q", err, content(t, dir))
		}
	}
	if err := Remove(dir, Entry{"/other", "/mnt"}); err != nil || content(t, dir) != foreign+line {
		t.Errorf("removed another disc: %v, %q", err, content(t, dir))
	}
	if err := Remove(dir, e); err != nil || content(t, dir) != foreign {
		t.Errorf("removed: %v, %q", err, content(t, dir))
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			e := Entry{fmt.Sprint("/d", i), fmt.Sprint("/m", i)}
			if err := Add(dir, e); err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				if err := Remove(dir, e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := strings.Count(content(t, dir), "\n"); n != 10 {
		t.Errorf("%d lines:\n%s", n, content(t, dir))
	}
}
