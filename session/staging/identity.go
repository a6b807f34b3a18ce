package staging

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// formatVersion is the version of everything below a disc's directory.
const formatVersion = 1

// Kind says what a disc was when its staging was created.
type Kind string

const (
	KindBurnfs  Kind = "burnfs"  // burned by burnfs, carries our UUID
	KindForeign Kind = "foreign" // burned by another program
	KindBlank   Kind = "blank"   // nothing recorded yet
)

// BaseRef names the session on the disc that the staged changes build upon.
type BaseRef struct {
	Start uint32 `json:"start"` // first block of the session, LBA of 2048 bytes
	Hash  string `json:"hash"`
}

// Identity says which disc a store belongs to and how to recognise it.
type Identity struct {
	// UUID names the store's directory: 1 to 128 of A–Z, a–z, 0–9, '-', '_' and '.',
	// not starting with a '.'.
	UUID        string  `json:"uuid"`
	Kind        Kind    `json:"kind"`
	Fingerprint string  `json:"fingerprint"`
	Name        string  `json:"name"` // path by which the disc was last mounted
	VolumeID    string  `json:"volume_id"`
	Base        BaseRef `json:"base"`
}

func (id Identity) validate() error {
	ok := len(id.UUID) >= 1 && len(id.UUID) <= 128 && id.UUID[0] != '.' &&
		strings.Trim(id.UUID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
	if !ok {
		return fail(ErrIdentity, nil, "%q cannot name a staging directory", id.UUID)
	}
	return nil
}

// discFile is disc.json.
type discFile struct {
	Format int `json:"format"`
	Identity
}

const identityName = "disc.json"

// readIdentity reads dir/disc.json.
func readIdentity(dir string) (Identity, error) {
	path := filepath.Join(dir, identityName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Identity{}, fail(ErrNotFound, err, "no staging in %s", dir)
	}
	if err != nil {
		return Identity{}, err
	}
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return Identity{}, fail(ErrDamaged, err, "%s is not readable, so the unburned changes beside it cannot be matched to a disc; restore the file from a backup", path)
	}
	if version.Format != formatVersion {
		return Identity{}, &VersionError{Path: path, Have: version.Format, Can: formatVersion}
	}
	var f discFile
	if err := json.Unmarshal(b, &f); err != nil {
		return Identity{}, fail(ErrDamaged, err, "%s is not readable, so the unburned changes beside it cannot be matched to a disc; restore the file from a backup", path)
	}
	if f.UUID != filepath.Base(dir) {
		return Identity{}, fail(ErrDamaged, nil, "%s names disc %q, but its directory is %q; the directory was renamed by hand; give it its old name", path, f.UUID, filepath.Base(dir))
	}
	return f.Identity, nil
}

// writeIdentity replaces dir/disc.json and makes it durable.
func writeIdentity(dir string, id Identity) error {
	if err := id.validate(); err != nil {
		return err
	}
	b, err := json.MarshalIndent(discFile{formatVersion, id}, "", "\t")
	if err != nil {
		return fmt.Errorf("encode identity: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, identityName), append(b, '\n'), 0o600, renameio.WithTempDir(dir)); err != nil {
		return writeError(dir, err)
	}
	return writeError(dir, syncDir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
