package fusefs

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// fsyncCaught calls fsync(2) on a directory and catches SIGUSR1, which must
// not make the call fail.
func fsyncCaught(args []string) error {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	fd, err := unix.Open(args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	go func() {
		<-caught
		fmt.Println("caught")
	}()
	// unix.Fsync does not hide EINTR.
	fmt.Println("fsync", unix.Fsync(fd))
	return nil
}
