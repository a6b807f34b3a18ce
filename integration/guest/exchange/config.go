package exchange

// ConfigPath is where the guest's first process finds its [Config], as JSON.
// Nothing but an initramfs made for it has this file.
const ConfigPath = "/burnfs-guest.json"

// PortName is the name of the virtio-serial port that carries the frames.
const PortName = "burnfs.guest"

// Config tells the guest's first process what to do before it is ready.
type Config struct {
	Modules []string // files in the initramfs, in the order in which they are to be loaded
	Root    string   // 9p tag of the host's root
	Shares  []Share
	Address string // IPv4 address of the first network interface, with its prefix length
	Env     []string
}

// Share is a directory of the host that the guest may write to, found there
// under the same path.
type Share struct {
	Tag  string // of the 9p device
	Path string
}
