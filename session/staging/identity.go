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
	// UUID names the store's directory: 1 to 128 of A–Z, a–z, 0–9, '-', '_' and '.', not
	// starting with a '.'.
	UUID        string  `json:"uuid"`
	Kind        Kind    `json:"kind"`
	Fingerprint string  `json:"fingerprint"`
	Name        string  `json:"name"` // path by which the disc was last mounted
	VolumeID    string  `json:"volume_id"`
	Base        BaseRef `json:"base"`
}

func (id Identity) validate() error {
	allowed := func(c rune) bool {
		return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if id.UUID == "" || len(id.UUID) > 128 || id.UUID[0] == '.' ||
		strings.ContainsFunc(id.UUID, func(c rune) bool { return !allowed(c) }) {
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

// readIdentity reads dir/disc.json. ErrNotFound if there is neither that nor staged data.
func readIdentity(dir string) (Identity, error) {
	path := filepath.Join(dir, identityName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		segments, err := osDisk(dir).list()
		switch {
		case len(segments) > 0:
			return Identity{}, fail(ErrDamaged, fs.ErrNotExist, "%s holds staged changes, but the file %s that says of which disc is gone; nothing was changed; restore it from a backup, or move the directory away", dir, identityName)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return Identity{}, err
		}
		return Identity{}, fail(ErrNotFound, nil, "there is no staging in %s", dir)
	}
	if err != nil {
		return Identity{}, err
	}
	id, err := parseIdentity(b)
	var version *VersionError
	switch {
	case errors.As(err, &version):
		version.Path = path
		return Identity{}, err
	case err == nil && id.UUID != filepath.Base(dir):
		err = fmt.Errorf("it names disc %q", id.UUID)
	}
	if err != nil {
		return Identity{}, fail(ErrDamaged, err, "%s is damaged, so the staged changes beside it cannot be matched to a disc; nothing was changed; restore the file from a backup, or move the directory away", path)
	}
	return id, nil
}

// parseIdentity decodes the content of disc.json.
func parseIdentity(b []byte) (Identity, error) {
	// The rest of a later format need not look like ours.
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return Identity{}, err
	}
	if version.Format > formatVersion {
		return Identity{}, &VersionError{Have: version.Format, Can: formatVersion}
	}
	if version.Format != formatVersion {
		return Identity{}, fmt.Errorf("there is no format %d", version.Format)
	}
	var f discFile
	if err := json.Unmarshal(b, &f); err != nil {
		return Identity{}, err
	}
	return f.Identity, f.validate()
}

// encodeIdentity is the inverse of parseIdentity.
func encodeIdentity(id Identity) ([]byte, error) {
	b, err := json.MarshalIndent(discFile{formatVersion, id}, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", identityName, err)
	}
	return append(b, '\n'), nil
}

// writeIdentity replaces dir/disc.json and makes it durable.
func writeIdentity(dir string, id Identity) error {
	b, err := encodeIdentity(id)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(filepath.Join(dir, identityName), b, 0o600, renameio.WithTempDir(dir)); err != nil {
		return writeError(dir, err)
	}
	return writeError(dir, syncDir(dir))
}
