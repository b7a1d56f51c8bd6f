// Fetches a genuine mongod, in a process of its own: it can be ended when nothing comes, and the library, which takes its
// settings from the environment and prints to standard output, touches nothing else. Arguments: version, folder. The last line
// is JSON with the path of the program.
import { MongoBinary } from 'mongodb-memory-server-core';

const [version = '', downloadDir = ''] = process.argv.slice(2);
console.log(JSON.stringify({ begun: true }));
try {
  console.log(`\n${JSON.stringify({ file: await MongoBinary.getPath({ version, downloadDir }) })}`);
} catch (error) {
  console.log(`\n${JSON.stringify({ refused: error instanceof Error ? error.message : String(error) })}`);
}
