package discinfo

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"burnfs/cmd/burnfs/internal/discs"
	"burnfs/iso9660"
	"burnfs/iso9660/eltorito"
)

// Boot is what computers can be started with.
type Boot struct {
	Images  []BootImage `json:"images"`            // of the newest session's boot catalogue
	Problem string      `json:"problem,omitempty"` // why the catalogue cannot be read, or what is wrong with it
	// PartitionTable says that the disc, copied to a hard disk or a USB stick, has
	// one: isohybrid.
	PartitionTable bool `json:"partition_table,omitempty"`
}

// BootImage is an entry of a boot catalogue that is to be booted.
type BootImage struct {
	Platform  string `json:"platform"`
	Emulation string `json:"emulation"`
	Start     uint32 `json:"start"` // first block
}

// gatherBoot is nil for a disc that nothing can be started with.
func gatherBoot(ctx context.Context, d *discs.Disc) (*Boot, error) {
	newest := -1
	for i := range d.Sessions {
		if d.Sessions[i].Readable {
			newest = i
		}
	}
	if newest < 0 {
		return nil, nil
	}
	b := &Boot{Images: []BootImage{}}
	switch found, err := eltorito.Find(ctx, d, d.Sessions[newest].Start); {
	case err != nil && !answered(err):
		return nil, err
	case err != nil:
		b.Problem = err.Error()
	case found != nil:
		b.catalogue(found)
	}
	head := make([]byte, iso9660.BlockSize)
	if err := d.ReadBlocks(ctx, 0, head); err == nil {
		b.PartitionTable = partitioned(head)
	} else if !answered(err) {
		return nil, err
	}
	if len(b.Images) == 0 && b.Problem == "" && !b.PartitionTable {
		return nil, nil
	}
	return b, nil
}

func (b *Boot) catalogue(found *eltorito.Boot) {
	if found.Damage != nil {
		b.Problem = found.Damage.Error()
	}
	if found.Catalog == nil {
		return
	}
	for _, i := range found.Catalog.Images {
		if i.Bootable() {
			b.Images = append(b.Images, BootImage{i.Platform.String(), i.Media().String(), i.LBA()})
		}
	}
}

// partitioned tells whether the first block of a medium ends its first 512 bytes as a
// Master Boot Record does, with a partition of a type.
func partitioned(head []byte) bool {
	const table, entry, signature = 446, 16, 510
	if binary.LittleEndian.Uint16(head[signature:]) != 0xaa55 {
		return false
	}
	for at := table; at < signature; at += entry {
		if head[at+4] != 0 {
			return true
		}
	}
	return false
}

// text says it to people.
func (b *Boot) text() string {
	var list []string
	for _, i := range b.Images {
		list = append(list, fmt.Sprintf("%s (%s)", i.Platform, i.Emulation))
	}
	if b.PartitionTable {
		list = append(list, "a copy on a USB stick or hard disk")
	}
	if b.Problem != "" {
		list = append(list, "damaged: "+b.Problem)
	}
	return strings.Join(list, ", ")
}
