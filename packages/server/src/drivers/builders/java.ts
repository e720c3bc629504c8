/** Java (and what else the JVM runs): Maven or Gradle, by their wrappers where the source brings them. */
import type { Builder, BuildPlan, BuildStep, HostTools, SourceFacts, Tool } from '../../rooms/delivery/ports.ts'
import { need } from './toolchain.ts'

const start = '.pavior/start'

/** Finds the jar that runs and writes how: names hold versions, so they are known only after the build. */
const findJar = `set --
for jar in target/*-jar-with-dependencies.jar target/*-runner.jar target/quarkus-app/quarkus-run.jar target/*.jar build/libs/*-all.jar build/libs/*.jar build/quarkus-app/quarkus-run.jar
do
  case "$jar" in *-sources.jar|*-javadoc.jar|*-tests.jar|*-plain.jar|*/original-*) continue ;; esac
  [ -f "$jar" ] && { set -- "$jar"; break; }
done
if [ $# = 0 ]
then
  echo "The build left no jar in target/ or build/libs/." >&2
  exit 1
fi
mkdir -p .pavior
printf '%s\\n' 'export SERVER_PORT="\${SERVER_PORT:-$PORT}"' "exec java \\$JAVA_OPTS -jar $1 \\"\\$@\\"" > ${start}
echo "The web process runs $1."`

export const javaBuilder: Builder = {
  name: 'java',
  reads: ['pom.xml', 'build.gradle', 'build.gradle.kts', 'settings.gradle', 'settings.gradle.kts', 'system.properties', 'Procfile'],
  tools: ['java', 'javac', 'mvn', 'gradle'],
  detect: ({ paths }) => ['pom.xml', 'build.gradle', 'build.gradle.kts', 'settings.gradle', 'settings.gradle.kts'].find((file) => paths.includes(file)),
  toolchain: ({ texts }) => ({ name: 'java', asked: askedJava(texts) }),
  plan,
}

/** As Maven, Gradle and the buildpacks' system.properties say it. */
function askedJava(texts: SourceFacts['texts']): string | undefined {
  const gradle = texts['build.gradle.kts'] ?? texts['build.gradle'] ?? ''
  return (
    /^java\.runtime\.version\s*=\s*(\S+)/m.exec(texts['system.properties'] ?? '')?.[1] ??
    /<(?:maven\.compiler\.(?:release|source)|java\.version)>\s*([\d.]+)/.exec(texts['pom.xml'] ?? '')?.[1] ??
    /(?:JavaLanguageVersion\.of\(|sourceCompatibility\s*=\s*\D{0,30}?)(\d+)/.exec(gradle)?.[1]
  )
}

function plan(source: SourceFacts, tools: HostTools): BuildPlan {
  const { paths, texts, settings } = source
  const java = need(tools, 'java')
  const used = [java, need(tools, 'javac')]
  const maven = paths.includes('pom.xml')
  const { tool, command } = maven ? mavenCommand(paths, tools) : gradleCommand(source, tools)
  const build: BuildStep = { name: 'build', command: settings.command === undefined ? command : ['sh', '-ec', settings.command] }
  return {
    summary: [`java ${java.version.split('.')[0]}`, settings.command ?? (maven ? 'maven package' : 'gradle build')].join(' · '),
    steps: [build, ...(texts.Procfile === undefined ? [{ name: 'find-jar', command: ['sh', '-ec', findJar] }] : [])],
    layers: [],
    env: { MAVEN_REPOSITORY: '/cache/maven', MAVEN_USER_HOME: '/cache/maven-wrapper', GRADLE_USER_HOME: '/cache/gradle' },
    runtimeEnv: {},
    processes: { web: { command: `sh ${start}` } },
    tools: tool === undefined ? used : [...used, tool],
    runtimeTools: [java],
    omit: ['.gradle', 'build/tmp', 'build/classes', 'target/classes', 'target/maven-status', 'target/maven-archiver', 'target/generated-sources', 'target/test-classes', ...paths.filter((path) => /^src\/.*\.(java|kt|groovy|scala)$/.test(path))],
  }
}

function mavenCommand(paths: readonly string[], tools: HostTools): { tool?: Tool; command: string[] } {
  const goals = ['-B', '-ntp', '-Dstyle.color=never', '-DskipTests', '-Dproject.build.outputTimestamp=1980-01-01T00:00:02Z', 'package']
  // The wrapper is a script of the source; sh runs it even when its executable bit was lost.
  if (paths.includes('mvnw') && paths.includes('.mvn/wrapper/maven-wrapper.properties')) return { command: ['sh', '-ec', withRepository('sh ./mvnw'), 'mvnw', ...goals] }
  return { tool: need(tools, 'mvn'), command: ['sh', '-ec', withRepository('mvn'), 'mvn', ...goals] }
}

/** Maven takes the place of its repository only as an argument that survives spaces in paths. */
function withRepository(program: 'mvn' | 'sh ./mvnw'): string {
  return `exec ${program} "-Dmaven.repo.local=$MAVEN_REPOSITORY" "$@"`
}

function gradleCommand({ paths, texts }: SourceFacts, tools: HostTools): { tool?: Tool; command: string[] } {
  const text = [texts['build.gradle'], texts['build.gradle.kts']].join('\n')
  // Spring Boot's plugin makes the jar that runs; elsewhere `assemble` makes all there is.
  const tasks = ['--no-daemon', '--console=plain', /springframework\.boot/.test(text) ? 'bootJar' : /shadow/.test(text) ? 'shadowJar' : 'assemble']
  if (paths.includes('gradlew') && paths.includes('gradle/wrapper/gradle-wrapper.jar')) return { command: ['sh', './gradlew', ...tasks] }
  return { tool: need(tools, 'gradle'), command: ['gradle', ...tasks] }
}
