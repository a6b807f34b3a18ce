package shelf

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPut(t *testing.T) {
	dir, src := t.TempDir(), t.TempDir()
	t.Setenv(Env, dir)
	t.Setenv(AllEnv, "")
	disc := filepath.Join(src, "disc.img")
	write := func(content string) {
		t.Helper()
		for name, b := range map[string]string{disc: content, disc + StateSuffix: "state of " + content} {
			// What lies on the shelf is linked to what is replaced here.
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(b), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	shows := func(group, want string) {
		t.Helper()
		place := filepath.Join(dir, "burnfs.integration.shelf", group, "disc.img")
		for suffix, want := range map[string]string{"": want, StateSuffix: "state of " + want} {
			if b, err := os.ReadFile(place + suffix); err != nil || string(b) != want {
				t.Errorf("%s is %q, %v, should be %q", place+suffix, b, err, want)
			}
		}
	}
	for _, c := range []struct{ reason, test, want string }{
		{"the first of its kind", "b, bd-re", "b, bd-re"},
		{"one that comes before", "a, bd-re", "b, bd-re"},
		{"one that comes later", "c, bd-re", "c, bd-re"},
		{"another medium", "a, bd-r", "a, bd-r"},
	} {
		t.Run(c.test, func(t *testing.T) {
			write(c.test)
			Put(t, disc)
			shows("TestPut-"+medium.FindString(c.test), c.want)
		})
	}
	t.Run("changed, dvd+r", func(t *testing.T) {
		write("before")
		PutCopy(t, disc)
		f, err := os.OpenFile(disc, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("AFTER!"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		shows("TestPut-dvd+r", "before")
	})
	t.Run("missing, cd-r", func(t *testing.T) {
		Put(t, filepath.Join(src, "missing"))
		if _, err := os.Stat(filepath.Join(dir, "burnfs.integration.shelf", "TestPut-cd-r")); !os.IsNotExist(err) {
			t.Errorf("there is something of a disc that was never made: %v", err)
		}
	})
}
