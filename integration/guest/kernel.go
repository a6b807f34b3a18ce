//go:build linux

package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// kernel is an unpacked Debian package linux-image-*.
type kernel struct {
	image   string // vmlinux, which boots without being decompressed in the guest
	modules string // lib/modules/<release>
}

// metapackage names the newest kernel. The flavour for clouds has no sr_mod.
const metapackage = "linux-image-amd64"

// findKernel returns the kernel in the cache, which it fills if need be.
func findKernel(ctx context.Context, log io.Writer) (*kernel, error) {
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, cache)
	if err != nil {
		return nil, err
	}
	k, err := cachedKernel(cache)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(log, "downloading %s into %s\n", metapackage, cache)
		if err = download(ctx, cache); err == nil {
			k, err = cachedKernel(cache)
		}
	}
	return k, errors.Join(err, unlock())
}

// cachedKernel looks for an unpacked package. Its directory got its name only
// when it was complete.
func cachedKernel(cache string) (*kernel, error) {
	found, err := filepath.Glob(filepath.Join(cache, "linux-image-*", "lib", "modules", "*"))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no kernel in %s: %w", cache, fs.ErrNotExist)
	}
	modules := found[len(found)-1]
	return &kernel{image: filepath.Join(modules, "..", "..", "..", "vmlinux"), modules: modules}, nil
}

var imagePackage = regexp.MustCompile(`(?m)^\s+Depends: (linux-image-\S+-amd64)$`)

// download fetches, unpacks and prepares the newest kernel.
func download(ctx context.Context, cache string) error {
	work, err := os.MkdirTemp(cache, "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	// Lists that are missing or old name no package, or one that is gone. Who may
	// not renew them may still get along with those that are there.
	_, stale := run(ctx, work, "apt-get", "update", "-qq")
	depends, err := run(ctx, work, "apt-cache", "depends", metapackage)
	if err != nil {
		return err
	}
	name := imagePackage.FindStringSubmatch(depends)
	if name == nil {
		return errors.Join(fmt.Errorf("package %s depends on no linux-image: %s", metapackage, depends), stale)
	}
	// The download is checked by apt; its own user cannot write here.
	if _, err := run(ctx, work, "apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", name[1]); err != nil {
		return errors.Join(err, stale)
	}
	packages, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("apt-get download %s left %q: %w", name[1], packages, errors.Join(err, fs.ErrNotExist))
	}
	tree := filepath.Join(work, "tree")
	if _, err := run(ctx, work, "dpkg-deb", "-x", packages[0], tree); err != nil {
		return err
	}
	compressed, err := filepath.Glob(filepath.Join(tree, "boot", "vmlinuz-*"))
	if err != nil || len(compressed) != 1 {
		return fmt.Errorf("package %s has the kernels %q: %w", name[1], compressed, errors.Join(err, fs.ErrNotExist))
	}
	if err := extractImage(ctx, compressed[0], filepath.Join(tree, "vmlinux")); err != nil {
		return err
	}
	return os.Rename(tree, filepath.Join(cache, strings.TrimSuffix(filepath.Base(packages[0]), ".deb")))
}

// run executes a command and returns what it wrote on standard output.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}
