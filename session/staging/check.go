package staging

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// Finding is something wrong in a store.
type Finding struct {
	Ino  uint64 // inode whose content is affected, 0 if none in particular
	Text string
}

// Check examines the store of the disc uuid: the structure of its database, and that every
// range which decode finds in an inode record is in the log and in no other record. It
// changes nothing. ErrLocked while the disc is mounted.
func Check(stateDir, uuid string, decode func(ino uint64, rec []byte) ([]Range, error)) (findings []Finding, err error) {
	if err := (Identity{UUID: uuid}).validate(); err != nil {
		return nil, err
	}
	dir := filepath.Join(discsDir(stateDir), uuid)
	if _, err := readIdentity(dir); err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	db, err := openMeta(dir, true)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	report := func(ino uint64, format string, args ...any) {
		findings = append(findings, Finding{ino, fmt.Sprintf(format, args...)})
	}
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			report(0, "meta.db: %v", err)
		}
		end, err := logEnd(tx)
		if err != nil {
			return err
		}
		for ino, rec := range (Reader{tx}).Inodes() {
			ranges, err := decode(ino, rec)
			if err != nil {
				report(ino, "the record of inode %d is not readable: %v", ino, err)
				continue
			}
			for _, r := range ranges {
				if r.Addr < 0 || r.Len < 0 || r.Len > end-r.Addr {
					report(ino, "inode %d names bytes beyond the end of the log", ino)
					continue
				}
				_ = pieces(r.Addr, r.Len, func(n, off, _, length int64) error {
					fi, err := os.Stat(filepath.Join(dir, segmentName(n)))
					if err != nil || fi.Size() < off+length {
						report(ino, "inode %d names bytes that %s does not have", ino, segmentName(n))
					}
					return nil
				})
			}
		}
		return nil
	})
	return findings, err
}
