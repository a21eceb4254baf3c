//! The executable's allocator. A compilation makes and drops tens of thousands of small blocks, all on
//! one thread, and keeps next to none: while one runs ([`enter`]), small blocks come from a region of
//! its own, cut in order and reused by size, without locks and without looking at neighbours. When the
//! next compilation begins and all of them are free, it starts over at the region's beginning.
//!
//! Everything else (large blocks, other threads, other times, a region that is full or cannot be had)
//! goes to the system's allocator. A block finds its way back by its address, whoever frees it, and
//! whenever.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// Address space of the region, in bytes; memory is taken as it is used.
const REGION: usize = 256 << 20;
/// The largest block of the region, in bytes.
const LARGEST: usize = 1024;
/// What sizes are rounded up to, and how blocks are aligned; a [`Freed`] has to fit.
const STEP: usize = 16;
const CLASSES: usize = LARGEST / STEP + 1;

const _: () = assert!(size_of::<Freed>() <= STEP && align_of::<Freed>() <= STEP);

/// A block that nobody uses. Its first bytes say which comes next, and how large it is where blocks of
/// different sizes are in one list.
struct Freed {
    next: *mut Freed,
    class: usize,
}

/// The region: what belongs to the thread that holds it.
struct Region {
    start: *mut u8,
    /// The first byte that was never part of a block.
    unused: *mut u8,
    /// Bytes from `start` on that may have been written to since the system last gave them.
    touched: usize,
    /// Blocks in use, those freed by others than the holder among them until they are collected.
    live: usize,
    free: [*mut Freed; CLASSES],
}

struct Shared {
    region: UnsafeCell<Region>,
    /// Whether a thread holds the region.
    is_held: AtomicBool,
    /// Where the region begins; before there is one an address that nothing is above.
    start: AtomicUsize,
    /// Blocks freed by those who did not hold the region.
    returned: AtomicPtr<Freed>,
}

// SAFETY: `region` is only touched by the thread that changed `is_held` from false to true, until it
// changes it back; the rest is atomic.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared {
    region: UnsafeCell::new(Region {
        start: ptr::null_mut(),
        unused: ptr::null_mut(),
        touched: 0,
        live: 0,
        free: [ptr::null_mut(); CLASSES],
    }),
    is_held: AtomicBool::new(false),
    start: AtomicUsize::new(usize::MAX - REGION),
    returned: AtomicPtr::new(ptr::null_mut()),
};

thread_local! {
    /// Whether this thread holds the region.
    static HOLDS: Cell<bool> = const { Cell::new(false) };
}

/// The allocator, for `#[global_allocator]`.
pub struct Heap;

/// While it lives, small blocks of this thread come from the region.
pub struct Held {
    is_held: bool,
    // it has to be dropped where it was made
    thread: PhantomData<*const ()>,
}

/// Lets small blocks of this thread come from the region until the result is dropped, unless another
/// thread holds it.
#[must_use]
pub fn enter() -> Held {
    let is_held = !HOLDS.get()
        && SHARED
            .is_held
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
    if is_held {
        // SAFETY: `is_held` was just changed by this thread.
        let region = unsafe { &mut *SHARED.region.get() };
        region.map();
        region.collect();
        HOLDS.set(!region.start.is_null());
    }
    Held { is_held, thread: PhantomData }
}

/// Gives the memory of the region back to the system, if nothing is in use there.
pub fn release_memory() {
    let held = enter();
    if held.is_held {
        // SAFETY: this thread holds the region; the reference ends before anything allocates.
        unsafe { (*SHARED.region.get()).release() };
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_held {
            HOLDS.set(false);
            SHARED.is_held.store(false, Ordering::Release);
        }
    }
}

impl Region {
    /// Reserves the address space, the first time.
    fn map(&mut self) {
        #[cfg(target_os = "linux")]
        if self.start.is_null() {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            // SAFETY: a new mapping at an address of the system's choice disturbs nothing.
            let start = unsafe { libc::mmap(ptr::null_mut(), REGION, protection, flags, -1, 0) };
            if start != libc::MAP_FAILED {
                self.start = start.cast();
                self.unused = self.start;
                SHARED.start.store(self.start.addr(), Ordering::Relaxed);
            }
        }
    }

    /// Takes back what others freed, and starts over if nothing is in use.
    fn collect(&mut self) {
        let mut next = SHARED.returned.swap(ptr::null_mut(), Ordering::Acquire);
        while let Some(block) = NonNull::new(next) {
            // SAFETY: `give_back` wrote a `Freed` into a block of the region that nobody used any more.
            let Freed { next: after, class } = unsafe { block.read() };
            next = after;
            self.free(block, class);
        }
        self.touched = self.touched.max(self.unused.addr() - self.start.addr());
        if self.live == 0 {
            self.unused = self.start;
            self.free = [ptr::null_mut(); CLASSES];
        }
    }

    fn release(&mut self) {
        if self.live == 0 && self.touched != 0 {
            #[cfg(target_os = "linux")]
            // SAFETY: the range is the region's, and no block in it is in use.
            unsafe {
                libc::madvise(self.start.cast(), self.touched, libc::MADV_DONTNEED);
            }
            self.touched = 0;
        }
    }

    /// A block of `class` steps; null when the region is full.
    fn allocate(&mut self, class: usize) -> *mut u8 {
        let list = &mut self.free[class];
        if let Some(block) = NonNull::new(*list) {
            // SAFETY: blocks in the list are free, of the region, and begin with a `Freed`.
            *list = unsafe { block.as_ref().next };
            self.live += 1;
            return block.as_ptr().cast();
        }
        let used = self.unused.addr() - self.start.addr();
        if REGION - used < class * STEP {
            return ptr::null_mut();
        }
        let block = self.unused;
        // SAFETY: the block ends inside of the region, as was just checked.
        self.unused = unsafe { block.add(class * STEP) };
        self.live += 1;
        block
    }

    fn free(&mut self, block: NonNull<Freed>, class: usize) {
        let list = &mut self.free[class];
        // SAFETY: the caller freed a block of the region; every one has room for a `Freed` and is
        // aligned for it.
        unsafe { block.write(Freed { next: *list, class }) };
        *list = block.as_ptr();
        self.live -= 1;
    }
}

/// Leaves a block for the next who holds the region.
#[cold]
fn give_back(block: NonNull<Freed>, class: usize) {
    let mut next = SHARED.returned.load(Ordering::Relaxed);
    loop {
        // SAFETY: as in `Region::free`; nobody else knows the block until it is in the list.
        unsafe { block.write(Freed { next, class }) };
        let list = &SHARED.returned;
        match list.compare_exchange_weak(next, block.as_ptr(), Ordering::Release, Ordering::Relaxed)
        {
            Ok(_) => break,
            Err(now) => next = now,
        }
    }
}

/// The number of steps a block of this layout takes, if it is for the region.
fn class(layout: Layout) -> Option<usize> {
    (layout.size() <= LARGEST && layout.align() <= STEP).then(|| layout.size().div_ceil(STEP))
}

fn is_in_region(block: *mut u8) -> bool {
    block.addr().wrapping_sub(SHARED.start.load(Ordering::Relaxed)) < REGION
}

// SAFETY: blocks of the region are as large and aligned as asked for, do not overlap, and are reused
// only after they were freed, whichever thread did that; all others are the system's.
unsafe impl GlobalAlloc for Heap {
    // thousands of places call these: in each of them they would be an eighth of the executable
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(class) = class(layout)
            && HOLDS.get()
        {
            // SAFETY: this thread holds the region, and nothing in here allocates.
            let block = unsafe { (*SHARED.region.get()).allocate(class) };
            if !block.is_null() {
                return block;
            }
        }
        // SAFETY: passed on as it came.
        unsafe { System.alloc(layout) }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !is_in_region(block) {
            // SAFETY: what is not of the region came from the system, with this layout.
            return unsafe { System.dealloc(block, layout) };
        }
        let class = layout.size().div_ceil(STEP);
        // SAFETY: blocks in use are not null.
        let block = unsafe { NonNull::new_unchecked(block) }.cast();
        if HOLDS.get() {
            // SAFETY: this thread holds the region, and nothing in here allocates.
            unsafe { (*SHARED.region.get()).free(block, class) };
        } else {
            give_back(block, class);
        }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if class(layout).is_none() || !HOLDS.get() {
            // SAFETY: passed on as it came.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: passed on as it came.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block is new and of this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !is_in_region(block) {
            // SAFETY: what is not of the region came from the system, with this layout.
            return unsafe { System.realloc(block, layout, size) };
        }
        if size.div_ceil(STEP) == layout.size().div_ceil(STEP) {
            return block;
        }
        // SAFETY: the caller sees to it that the size is one that a layout can have.
        let new_layout = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the size is not zero, as the caller sees to.
        let new = unsafe { self.alloc(new_layout) };
        if !new.is_null() {
            // SAFETY: two different blocks, each at least as long as what is copied; the old one is
            // the caller's to free.
            unsafe {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The region, as soon as no other test compiles.
    fn hold() -> Held {
        loop {
            let held = enter();
            if held.is_held {
                return held;
            }
            std::thread::yield_now();
        }
    }

    struct Block {
        at: *mut u8,
        layout: Layout,
        content: u8,
    }

    // SAFETY: a block belongs to whoever has it.
    unsafe impl Send for Block {}

    impl Block {
        fn new(size: usize, align: usize, content: u8) -> Self {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: no layout here is empty.
            let at = unsafe { Heap.alloc(layout) };
            assert!(!at.is_null() && at.addr().is_multiple_of(align));
            // SAFETY: the block has this size.
            unsafe { at.write_bytes(content, size) };
            Self { at, layout, content }
        }
        fn check(&self, length: usize) {
            // SAFETY: `length` is at most the size of the block, which is filled.
            let bytes = unsafe { std::slice::from_raw_parts(self.at, length) };
            assert!(bytes.iter().all(|byte| *byte == self.content));
        }
        fn resize(&mut self, size: usize) {
            // SAFETY: the block is in use, with this layout.
            self.at = unsafe { Heap.realloc(self.at, self.layout, size) };
            self.check(size.min(self.layout.size()));
            self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
            // SAFETY: the block has this size.
            unsafe { self.at.write_bytes(self.content, size) };
        }
        fn free(self) {
            self.check(self.layout.size());
            // SAFETY: the block is in use, with this layout, and not used after this.
            unsafe { Heap.dealloc(self.at, self.layout) };
        }
    }

    #[test]
    fn blocks_keep_their_content_until_they_are_freed() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut blocks: Vec<Block> = Vec::new();
        for _ in 0..20 {
            let held = hold();
            for _ in 0..2000 {
                let longest = if random.u8(..9) == 0 { 3000 } else { 200 };
                let size = random.usize(1..longest);
                match random.u8(..4) {
                    0 if !blocks.is_empty() => {
                        blocks.swap_remove(random.usize(..blocks.len())).free();
                    }
                    1 if !blocks.is_empty() => {
                        let place = random.usize(..blocks.len());
                        blocks[place].resize(size);
                    }
                    _ => blocks.push(Block::new(size, 1 << random.u8(..7), random.u8(..))),
                }
            }
            // the others stay in use while nobody holds the region, and while somebody does again
            let half = blocks.split_off(blocks.len() / 2);
            let elsewhere = std::thread::spawn(|| half.into_iter().for_each(Block::free));
            if random.bool() {
                elsewhere.join().unwrap();
                drop(held);
            } else {
                drop(held);
                blocks.drain(..blocks.len() / 3).for_each(Block::free);
                elsewhere.join().unwrap();
            }
        }
        blocks.into_iter().for_each(Block::free);
    }

    #[test]
    fn freed_blocks_are_used_again_for_their_size() {
        let _held = hold();
        let (small, large) = (Block::new(30, 8, 1), Block::new(LARGEST + 1, 8, 2));
        assert!(is_in_region(small.at) && !is_in_region(large.at));
        let at = small.at;
        small.free();
        let same = Block::new(17, 16, 3);
        assert_eq!(same.at, at);
        let layout = same.layout;
        same.free();
        // SAFETY: the layout is not empty.
        let zeroed = Block { at: unsafe { Heap.alloc_zeroed(layout) }, layout, content: 0 };
        assert_eq!(zeroed.at, at);
        zeroed.free();
        large.free();
    }

    #[test]
    fn only_who_holds_the_region_takes_from_it() {
        let held = hold();
        let inside = Block::new(16, 8, 1);
        std::thread::spawn(|| {
            assert!(!enter().is_held);
            let other = Block::new(16, 8, 1);
            assert!(!is_in_region(other.at));
            other.free();
        })
        .join()
        .unwrap();
        assert!(!enter().is_held, "held already");
        assert!(is_in_region(inside.at));
        drop(held);
        let outside = Block::new(16, 8, 1);
        assert!(!is_in_region(outside.at));
        inside.free();
        outside.free();
    }

    #[test]
    fn an_empty_region_starts_over_and_gives_its_memory_back() {
        loop {
            let _held = hold();
            let region = SHARED.region.get();
            // SAFETY: this thread holds the region.
            let start = unsafe {
                (*region).collect();
                if (*region).live != 0 {
                    // blocks that another test is about to free
                    continue;
                }
                (*region).start
            };
            let block = Block::new(LARGEST, 16, 7);
            assert_eq!(block.at, start);
            block.free();
            // SAFETY: this thread holds the region; what is read is memory of the region.
            unsafe {
                (*region).collect();
                assert_eq!((*region).unused, start);
                (*region).release();
                assert!((0..LARGEST).all(|at| start.add(at).read_volatile() == 0));
            }
            break;
        }
    }
}
