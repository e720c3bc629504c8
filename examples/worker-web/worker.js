const everyMs = 5000
let rounds = 0

const timer = setInterval(() => console.log(`round ${++rounds} done`), everyMs)
console.log('worker is up')

// Finish the round, then go.
process.on('SIGTERM', () => {
  clearInterval(timer)
  console.log(`worker stops after ${rounds} rounds`)
})
